"""What carries SIP messages, and how addresses say so (RFC 3261 sections 18, 19.1.1 and 26.2.2)."""

from enum import Enum

from .uri import host_port


class Transport(Enum):
    """UDP, TCP, or TLS over TCP."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"

    @property
    def is_reliable(self) -> bool:
        """Whether what is sent arrives, and in order, as long as the connection lasts."""
        return self is not Transport.UDP

    def sent_by(self, address: tuple[str, int]) -> str:
        """Write protocol and address as a Via begins (section 20.42)."""
        return f"SIP/2.0/{self.name} {host_port(address)}"

    def uri(self, address: tuple[str, int], *, user: str = "") -> str:
        """Write the URI at which somebody is reached: a SIPS URI over TLS, for transport=tls is deprecated (26.2.2)."""
        scheme = "sips" if self is Transport.TLS else "sip"
        parameter = ";transport=tcp" if self is Transport.TCP else ""
        return f"{scheme}:{user}{'@' if user else ''}{host_port(address)}{parameter}"
