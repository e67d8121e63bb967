/* A shared object that is no plugin. */
int empty_is_no_plugin(void);

int empty_is_no_plugin(void)
{
    return 0;
}
