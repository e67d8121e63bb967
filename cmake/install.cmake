# What an installation has besides the programs and plugins, which name their places themselves:
# libtackle, the headers, agents and the demo, and what outside plugins and programs build with.
include(CMakePackageConfigHelpers)

set(plugin_dir ${CMAKE_INSTALL_LIBDIR}/tackle/plugins)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tackle)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS tackle_shared EXPORT tackle LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY runtime/include/tackle DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
install(DIRECTORY agents/ DESTINATION ${CMAKE_INSTALL_DATADIR}/tackle/agents
  FILES_MATCHING PATTERN "*.md" PATTERN demo EXCLUDE)
install(DIRECTORY agents/demo DESTINATION ${CMAKE_INSTALL_DATADIR}/tackle USE_SOURCE_PERMISSIONS)
# Readable for programs that read what `tackle run` prints.
install(FILES docs/events.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/tackle)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# pkg-config: everything is told from where the .pc file is, so that an installation can be moved.
file(RELATIVE_PATH pc_prefix /${pkgconfig_dir} /)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
foreach(name tackle tackle-plugin)
  configure_file(cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/cmake/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/cmake/${name}.pc DESTINATION ${pkgconfig_dir})
endforeach()

# find_package(tackle): tackle::tackle, tackle::plugin, tackle_add_plugin().
add_library(tackle_plugin INTERFACE)
set_target_properties(tackle_plugin PROPERTIES EXPORT_NAME plugin)
target_include_directories(tackle_plugin INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(TARGETS tackle_plugin EXPORT tackle)
install(EXPORT tackle NAMESPACE tackle:: FILE tackleTargets.cmake DESTINATION ${package_dir})
configure_package_config_file(cmake/tackleConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cmake/tackleConfig.cmake INSTALL_DESTINATION ${package_dir}
  PATH_VARS plugin_dir)
# Before 1.0 every minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/tackleConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cmake/tackleConfig.cmake
  ${PROJECT_BINARY_DIR}/cmake/tackleConfigVersion.cmake DESTINATION ${package_dir})
