/* Where each field of ABI 1.0 is, for ever. Compiled with the frozen header and with today's. */
#include <tackle/plugin.h>

#define AT(type, field, offset)                                                                    \
    _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define IS(name, value) _Static_assert((name) == (value), #name " has changed")

#if UINTPTR_MAX == UINT64_MAX
AT(struct tackle_call_api, size, 0);
AT(struct tackle_call_api, reserved, 4);
AT(struct tackle_call_api, args_json, 8);
AT(struct tackle_call_api, arg_text, 16);
AT(struct tackle_call_api, arg_int, 24);
AT(struct tackle_call_api, arg_real, 32);
AT(struct tackle_call_api, arg_bool, 40);
AT(struct tackle_call_api, arg_count, 48);
AT(struct tackle_call_api, arg_item, 56);
AT(struct tackle_call_api, write, 64);
AT(struct tackle_call_api, fail, 72);
AT(struct tackle_call_api, progress, 80);
AT(struct tackle_call_api, cancelled, 88);
AT(struct tackle_call_api, cancel_fd, 96);
AT(struct tackle_call_api, ms_left, 104);
AT(struct tackle_call_api, call_key, 112);
AT(struct tackle_call_api, remember, 120);
AT(struct tackle_call_api, remembered, 128);

AT(struct tackle_call, api, 0);

AT(struct tackle_host, size, 0);
AT(struct tackle_host, abi, 4);
AT(struct tackle_host, name, 8);
AT(struct tackle_host, version, 16);
AT(struct tackle_host, service, 24);
AT(struct tackle_host, error, 32);

AT(struct tackle_tool, size, 0);
AT(struct tackle_tool, does, 4);
AT(struct tackle_tool, effect, 8);
AT(struct tackle_tool, reserved, 12);
AT(struct tackle_tool, name, 16);
AT(struct tackle_tool, description, 24);
AT(struct tackle_tool, params, 32);
AT(struct tackle_tool, call, 40);
AT(struct tackle_tool, probe, 48);
AT(struct tackle_tool, hosts, 56);

AT(struct tackle_option, size, 0);
AT(struct tackle_option, type, 4);
AT(struct tackle_option, flags, 8);
AT(struct tackle_option, reserved, 12);
AT(struct tackle_option, name, 16);
AT(struct tackle_option, default_value, 24);
AT(struct tackle_option, help, 32);

AT(struct tackle_plugin, size, 0);
AT(struct tackle_plugin, abi, 4);
AT(struct tackle_plugin, name, 8);
AT(struct tackle_plugin, version, 16);
AT(struct tackle_plugin, description, 24);
AT(struct tackle_plugin, needs, 32);
AT(struct tackle_plugin, tools, 40);
AT(struct tackle_plugin, options, 48);
AT(struct tackle_plugin, open, 56);
AT(struct tackle_plugin, close, 64);

AT(struct tackle_log_v1, size, 0);
AT(struct tackle_log_v1, reserved, 4);
AT(struct tackle_log_v1, write, 8);

AT(struct tackle_config_v1, size, 0);
AT(struct tackle_config_v1, reserved, 4);
AT(struct tackle_config_v1, text, 8);
AT(struct tackle_config_v1, integer, 16);
AT(struct tackle_config_v1, boolean, 24);

AT(struct tackle_workspace_v1, size, 0);
AT(struct tackle_workspace_v1, reserved, 4);
AT(struct tackle_workspace_v1, root, 8);
AT(struct tackle_workspace_v1, open, 16);
AT(struct tackle_workspace_v1, replace, 24);
AT(struct tackle_workspace_v1, changed, 32);

AT(struct tackle_http_request, size, 0);
AT(struct tackle_http_request, reserved, 4);
AT(struct tackle_http_request, method, 8);
AT(struct tackle_http_request, url, 16);
AT(struct tackle_http_request, headers, 24);
AT(struct tackle_http_request, body, 32);
AT(struct tackle_http_request, body_len, 40);

AT(struct tackle_http_response, size, 0);
AT(struct tackle_http_response, status, 4);
AT(struct tackle_http_response, content_type, 8);
AT(struct tackle_http_response, body, 16);
AT(struct tackle_http_response, body_len, 24);

AT(struct tackle_http_v1, size, 0);
AT(struct tackle_http_v1, reserved, 4);
AT(struct tackle_http_v1, fetch, 8);

AT(struct tackle_process, size, 0);
AT(struct tackle_process, reserved, 4);
AT(struct tackle_process, argv, 8);
AT(struct tackle_process, cwd, 16);
AT(struct tackle_process, env, 24);
AT(struct tackle_process, timeout_ms, 32);
AT(struct tackle_process, head_bytes, 40);
AT(struct tackle_process, tail_bytes, 48);

AT(struct tackle_process_result, size, 0);
AT(struct tackle_process_result, exit_status, 4);
AT(struct tackle_process_result, signal, 8);
AT(struct tackle_process_result, timed_out, 12);
AT(struct tackle_process_result, duration_ms, 16);
AT(struct tackle_process_result, head, 24);
AT(struct tackle_process_result, head_len, 32);
AT(struct tackle_process_result, tail, 40);
AT(struct tackle_process_result, tail_len, 48);
AT(struct tackle_process_result, omitted, 56);

AT(struct tackle_process_v1, size, 0);
AT(struct tackle_process_v1, reserved, 4);
AT(struct tackle_process_v1, run, 8);
#endif

IS(TACKLE_OK, 0);
IS(TACKLE_E_FAILED, -1);
IS(TACKLE_E_ARGS, -2);
IS(TACKLE_E_DENIED, -3);
IS(TACKLE_E_CANCELLED, -4);
IS(TACKLE_E_TIMEOUT, -5);
IS(TACKLE_E_LIMIT, -6);
IS(TACKLE_E_NOMEM, -7);
IS(TACKLE_E_NOT_FOUND, -8);
IS(TACKLE_READS, 1);
IS(TACKLE_WRITES, 2);
IS(TACKLE_RUNS, 4);
IS(TACKLE_NETWORK, 8);
IS(TACKLE_PARALLEL, 256);
IS(TACKLE_EFFECT_NEVER, 0);
IS(TACKLE_EFFECT_SAFE, 1);
IS(TACKLE_EFFECT_KEYED, 2);
IS(TACKLE_EFFECT_PROBE, 3);
IS(TACKLE_PROBE_DONE, 1);
IS(TACKLE_PROBE_NOT_DONE, 2);
IS(TACKLE_PROBE_UNKNOWN, 3);
IS(TACKLE_OPTION_TEXT, 0);
IS(TACKLE_OPTION_INT, 1);
IS(TACKLE_OPTION_BOOL, 2);
IS(TACKLE_OPTION_URL, 3);
IS(TACKLE_OPTION_SECRET, 1);
IS(TACKLE_LOG_DEBUG, 0);
IS(TACKLE_LOG_INFO, 1);
IS(TACKLE_LOG_WARN, 2);
IS(TACKLE_LOG_ERROR, 3);
IS(TACKLE_OPEN_FILE, 0);
IS(TACKLE_OPEN_DIR, 1);
IS(TACKLE_REPLACE_NEW, 1);
IS(TACKLE_REPLACE_PARENTS, 2);
IS(TACKLE_CHANGED_CREATED, 1);
IS(TACKLE_CHANGED_MODIFIED, 2);
IS(TACKLE_CHANGED_DELETED, 3);
