# The command line on top of a scripted runtime: for the tests of this folder.
add_library(cli_fake OBJECT ${CMAKE_CURRENT_LIST_DIR}/fake_tackle.c)
target_link_libraries(cli_fake PUBLIC tackle_cli)
add_executable(tackle_fake ${PROJECT_SOURCE_DIR}/runtime/cli/main.c)
target_link_libraries(tackle_fake PRIVATE tackle_cli cli_fake)
set_target_properties(tackle_fake PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
add_library(cli_program OBJECT ${CMAKE_CURRENT_LIST_DIR}/program.c)
target_link_libraries(cli_program PUBLIC test_support)
