/* Where the parts of an installation are: beside libtackle.so or the running program, when one of
 * them lies in such a tree (installed or build tree), else where it was configured to be. */
#ifndef IO_LAYOUT_H
#define IO_LAYOUT_H

#include "base/err.h"

enum layout_part {
    LAYOUT_HOST,    /* the program tackle-host */
    LAYOUT_PLUGINS, /* the folder of the shipped plugins */
    LAYOUT_AGENTS   /* the folder of the shipped agents */
};

/* malloc'd path of a part that exists; NULL with ERR_NOT_FOUND naming where was looked. */
char *layout_find(enum layout_part part, struct err *err);

#endif
