# Compiles SOURCE as C11, C17 and C++17 with CC and CXX; prints SKIPPED when one is not installed.
foreach(language "c;c11;${CC}" "c;c17;${CC}" "c++;c++17;${CXX}")
  list(GET language 0 name)
  list(GET language 1 standard)
  list(GET language 2 compiler)
  find_program(${compiler}_path ${compiler})
  if(NOT ${compiler}_path)
    message("SKIPPED: ${compiler} is not installed")
    return()
  endif()
  execute_process(
    COMMAND ${${compiler}_path} -x ${name} -std=${standard} -Wall -Wextra -Wpedantic -Werror
      -Wshadow -Wconversion -fsyntax-only -I ${INCLUDE} ${SOURCE}
    RESULT_VARIABLE status)
  if(status)
    message(FATAL_ERROR "${compiler} -std=${standard}: <tackle/plugin.h> does not compile")
  endif()
endforeach()
