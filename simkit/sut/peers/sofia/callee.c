/* A callee around Sofia-SIP's nua, FreeSWITCH's stack: it answers every call at once and leaves session timers to nua.
 *
 *   cc -o sofia_callee sofia_callee.c $(pkg-config --cflags --libs sofia-sip-ua)
 *   ./sofia_callee 127.0.0.1 5060  120 90 by_update      (address, port, Session-Expires, Min-SE, refreshes by)
 */
typedef struct context nua_magic_t;
#define NUA_MAGIC_T nua_magic_t
typedef struct call nua_hmagic_t;
#define NUA_HMAGIC_T nua_hmagic_t

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/nua.h>
#include <sofia-sip/sdp.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su.h>

struct context { su_root_t *root; nua_t *nua; };

static void happened(nua_event_t event, int status, char const *phrase, nua_t *nua, nua_magic_t *context,
                     nua_handle_t *call, nua_hmagic_t *hmagic, sip_t const *sip, tagi_t tags[])
{
    (void)nua; (void)context; (void)hmagic; (void)sip; (void)tags;
    printf("%s %d %s\n", nua_event_name(event), status, phrase ? phrase : "");
    fflush(stdout);
    if (event == nua_i_invite && status < 200)
        nua_respond(call, SIP_200_OK, TAG_END());
    else if (event == nua_i_terminated)
        nua_handle_destroy(call);
}

int main(int count, char *words[])
{
    struct context context = { NULL, NULL };
    char url[128], sdp[128];

    if (count != 6)
        return fprintf(stderr, "usage: %s ADDRESS PORT SESSION-EXPIRES MIN-SE by_update|by_invite\n", words[0]), 2;
    snprintf(url, sizeof url, "sip:%s:%s;transport=udp", words[1], words[2]);
    snprintf(sdp, sizeof sdp, "m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n");

    su_init();
    context.root = su_root_create(&context);
    context.nua = nua_create(context.root, happened, &context, NUTAG_URL(url), SOATAG_USER_SDP_STR(sdp),
                             NUTAG_SESSION_TIMER(atoi(words[3])), NUTAG_MIN_SE(atoi(words[4])),
                             NUTAG_UPDATE_REFRESH(strcmp(words[5], "by_update") == 0), TAG_END());
    if (context.nua == NULL)
        return fprintf(stderr, "cannot listen at %s\n", url), 1;
    su_root_run(context.root);
    return 0;
}
