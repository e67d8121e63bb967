# tackle_add_plugin(NAME source... [LIBS target...])
# A plugin as a shared object that exports one symbol, and NAME_static, the same sources for unit
# tests that run it without dlopen.
function(tackle_add_plugin name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  add_library(plugin_${name} MODULE ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/plugins)
  target_include_directories(plugin_${name} PRIVATE ${PROJECT_SOURCE_DIR}/runtime/include
    ${PROJECT_SOURCE_DIR}/runtime) # for base/enforce.h
  if(TACKLE_MUTATE)
    target_sources(plugin_${name} PRIVATE ${PROJECT_SOURCE_DIR}/runtime/base/enforce.c)
  endif()
  target_link_libraries(plugin_${name} PRIVATE tackle_flags ${ARG_LIBS})
  target_link_options(plugin_${name} PRIVATE -Wl,--exclude-libs,ALL)
  if(NOT TACKLE_SANITIZE)
    target_link_options(plugin_${name} PRIVATE -Wl,-z,defs)
  endif()
  install(TARGETS plugin_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/tackle/plugins)

  add_library(plugin_${name}_static STATIC EXCLUDE_FROM_ALL ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(plugin_${name}_static PUBLIC ${PROJECT_SOURCE_DIR}/runtime/include
    ${PROJECT_SOURCE_DIR}/runtime)
  target_link_libraries(plugin_${name}_static PUBLIC tackle_flags ${ARG_LIBS})
endfunction()
