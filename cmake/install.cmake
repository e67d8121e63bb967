# Filled in with the libraries that are installed; see runtime/CMakeLists.txt for the programs.
