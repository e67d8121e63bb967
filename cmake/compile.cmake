# What every target of the tree is compiled with.
add_library(tackle_flags INTERFACE)
target_compile_definitions(tackle_flags INTERFACE _GNU_SOURCE TACKLE_VERSION_TEXT="${PROJECT_VERSION}")
target_compile_options(tackle_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wwrite-strings -Wformat=2 -Wundef -Wvla
  $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation> # messages are cut on purpose
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
if(TACKLE_WERROR)
  target_compile_options(tackle_flags INTERFACE -Werror)
endif()
if(TACKLE_SANITIZE)
  target_compile_options(tackle_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tackle_flags INTERFACE -fsanitize=address,undefined)
endif()
if(TACKLE_MUTATE)
  target_compile_definitions(tackle_flags INTERFACE TACKLE_MUTATE)
endif()
if(TACKLE_FUZZ) # the coverage that libFuzzer is led by; tests/fuzz links the fuzzer itself
  target_compile_options(tackle_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(tackle_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(TACKLE_HARDEN)
  target_compile_options(tackle_flags INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
    -fcf-protection)
  target_link_options(tackle_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
