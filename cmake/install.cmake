# Filled in with the libraries that are installed; see runtime/CMakeLists.txt for the programs.

# Readable for programs that read what `tackle run` prints.
install(FILES ${PROJECT_SOURCE_DIR}/docs/events.schema.json
  DESTINATION ${CMAKE_INSTALL_DATADIR}/tackle)
