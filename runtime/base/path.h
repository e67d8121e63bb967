/* Paths as text. What a path may reach is beneath.h's. */
#ifndef BASE_PATH_H
#define BASE_PATH_H

/* "a/b", malloc'd; NULL when out of memory. */
char *path_join(const char *a, const char *b);

/* Where commands find their programs: the PATH that tackle-host gives them. */
#define PATH_OF_COMMANDS "/usr/local/bin:/usr/bin:/bin"

#endif
