#include <locale.h>

#include "cli.h"

int main(int argc, char **argv)
{
    (void)setlocale(LC_CTYPE, ""); /* is it UTF-8, and how wide are its characters */
    return cli_main(argc, argv);
}
