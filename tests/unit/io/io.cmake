# Plugins that misbehave on demand, for the tests of io/ and api/.
add_custom_target(unit_plugins)
foreach(name unruly twin)
  add_library(unit_plugin_${name} MODULE ${CMAKE_CURRENT_LIST_DIR}/plugins/${name}.c)
  set_target_properties(unit_plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/plugins)
  target_include_directories(unit_plugin_${name} PRIVATE ${PROJECT_SOURCE_DIR}/runtime/include)
  target_link_libraries(unit_plugin_${name} PRIVATE tackle_flags)
  add_dependencies(unit_plugins unit_plugin_${name})
endforeach()
