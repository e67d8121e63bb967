/* Where what is shipped with the program lies: beside the program when it lies in an installation
 * or a build tree, else where it was configured to be installed. */
#ifndef CLI_DATA_H
#define CLI_DATA_H

/* The path of a file or folder below share/tackle, or of $TACKLE_DATA_DIR when that is set.
 * malloc'd; NULL when it is not there. */
char *data_find(const char *name);

/* The folder with tackle/plugin.h, malloc'd; NULL when it is not there, "" when compilers look
 * there anyway. */
char *data_include_dir(void);

#endif
