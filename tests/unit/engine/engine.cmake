# What the tests of engine/run share.
add_library(engine_run_world OBJECT ${CMAKE_CURRENT_LIST_DIR}/run_world.c)
target_include_directories(engine_run_world PUBLIC ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(engine_run_world PUBLIC test_support)
