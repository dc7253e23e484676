"""The stacks that we know how to start, without screen and sound."""

from typing import Final

from .peer import Peer

SIPP: Final = Peer(
    "sipp",
    "SIPp",
    (
        *("sipp", "-sf", "@{folder}/callee.xml", "-i", "@{host}", "-p", "@{port}", "-nostdin"),
        *("-watchdog_interval", "0", "-trace_err", "-error_file", "@{folder}/errors.log"),
    ),
    needs=(("sipp",),),
    version=("sipp", "-v"),
    package="sip-tester",
)
KAMAILIO: Final = Peer(
    "kamailio",
    "Kamailio",
    (
        *("kamailio", "-f", "@{folder}/kamailio.cfg", "-DD", "-E", "-Y", "@{folder}", "-P", "@{folder}/pid"),
        *("-m", "32", "-M", "4"),
    ),
    needs=(("kamailio",),),
    version=("kamailio", "-v"),
    package="kamailio kamailio-extra-modules",
    is_proxy=True,
    in_warp="counts time by setitimer, which libfaketime does not reach: what it does by itself comes early or late",
)
LINPHONE: Final = Peer(
    "linphone",
    "Linphone",
    ("linphone-daemon", "--config", "@{folder}/linphonerc", "--auto-answer", "--disable-stats-events"),
    needs=(("linphone-daemon",),),
    version=("linphonec", "-v"),
    package="linphone-cli",
    one_call=True,
    environment=dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"), "@{folder}"),
    folders=(".config/linphone", ".local/share/linphone"),
)
SOFIA: Final = Peer(
    "sofia",
    "Sofia-SIP",
    ("@{folder}/callee", "@{host}", "@{port}", "@{expires}", "@{min_se}", "@{refresh}"),
    needs=(("cc",), ("pkg-config", "--exists", "sofia-sip-ua")),
    version=("pkg-config", "--modversion", "sofia-sip-ua"),
    package="libsofia-sip-ua-dev gcc pkg-config",
    build=("sh", "-c", "cc -o callee callee.c $(pkg-config --cflags --libs sofia-sip-ua)"),
)
BARESIP: Final = Peer(
    "baresip",
    "baresip",
    ("baresip", "-f", "@{folder}", "-v"),
    needs=(("baresip",),),
    version=("baresip", "-h"),
    package="baresip-core",
)
PJSUA: Final = Peer(
    "pjsua",
    "PJSUA",
    (
        *("pjsua", "--null-audio", "--no-tcp", "--local-port=@{port}", "--ip-addr=@{host}", "--bound-addr=@{host}"),
        *("--auto-answer=200", "--use-timer=1", "--timer-se=@{expires}", "--timer-min-se=@{min_se}", "--max-calls=16"),
    ),
    needs=(("pjsua",),),
    version=("pjsua", "--version"),
    package="",
)
PEERS: Final = (SIPP, KAMAILIO, LINPHONE, SOFIA, BARESIP, PJSUA)
