# What the tests of api/ share.
add_library(api_world OBJECT ${CMAKE_CURRENT_LIST_DIR}/api_world.c)
target_include_directories(api_world PUBLIC ${PROJECT_SOURCE_DIR}/tests)
target_link_libraries(api_world PUBLIC test_support)
