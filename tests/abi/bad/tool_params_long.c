#include "bad.h"

#define B64    "                                                                "
#define B256   B64 B64 B64 B64
#define B1024  B256 B256 B256 B256
#define B4096  B1024 B1024 B1024 B1024
#define B16384 B4096 B4096 B4096 B4096

BAD_TOOL(.params = "{\"type\":\"object\"}" B16384 B16384 B16384 B16384);
