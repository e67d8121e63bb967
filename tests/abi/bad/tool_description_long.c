#include "bad.h"

#define B64   "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B256  B64 B64 B64 B64
#define B1024 B256 B256 B256 B256
#define B4096 B1024 B1024 B1024 B1024

BAD_TOOL(.description = B4096 "!");
