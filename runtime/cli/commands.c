/* The table of subcommands. */
#include "cli.h"

#include <string.h>

extern const struct command command_run, command_resume, command_chat, command_demo, command_tools,
    command_plugins, command_agents, command_runs, command_models, command_credits, command_config,
    command_wire, command_policy, command_completion, command_help, command_version, command_man,
    command_doctor;

const struct command *const commands[] = {&command_run,
                                          &command_resume,
                                          &command_chat,
                                          &command_demo,
                                          &command_tools,
                                          &command_plugins,
                                          &command_agents,
                                          &command_runs,
                                          &command_models,
                                          &command_credits,
                                          &command_config,
                                          &command_policy,
                                          &command_doctor,
                                          &command_wire,
                                          &command_completion,
                                          &command_help,
                                          &command_version,
                                          &command_man,
                                          NULL};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}
