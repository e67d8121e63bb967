/* Keeps long work within the call's deadline. */
#include "pace.h"

void pace_start(struct pace *p, tackle_call *call)
{
    int64_t left = call->api->ms_left(call);
    *p = (struct pace){.call = call, .reserve_ms = left / 10 < 500 ? left / 10 : 500};
}

bool pace_over(struct pace *p)
{
    if (!p->over && p->call)
        p->over = p->call->api->cancelled(p->call) != 0 ||
                  p->call->api->ms_left(p->call) <= p->reserve_ms;
    return p->over;
}

bool pace_tick(struct pace *p)
{
    return p->over || (++p->ticks % 256 == 0 && pace_over(p));
}
