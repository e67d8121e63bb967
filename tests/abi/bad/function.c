/* The symbol is there, but it is code. */
__attribute__((visibility("default"))) int tackle_plugin_v1(void);

int tackle_plugin_v1(void)
{
    return 1;
}
