"""What the two sides of an SSH connection offer each other, and what to do where nothing fits."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .packages import paramiko

# What it is, sshd_config's name of it, the server's list, ours, and a good one to allow.
_KINDS = (
    ("key exchange", "KexAlgorithms", "kex_algo_list", "preferred_kex", "ecdh-sha2-nistp256"),
    ("host key", "HostKeyAlgorithms", "server_key_algo_list", "preferred_keys", "ssh-ed25519"),
    ("cipher", "Ciphers", "client_encrypt_algo_list", "preferred_ciphers", "aes256-ctr"),
    ("MAC", "MACs", "client_mac_algo_list", "preferred_macs", "hmac-sha2-256-etm@openssh.com"),
)


class Offers:
    """The server's lists of algorithms, as soon as it has sent them."""

    def __init__(self, transport: "paramiko.Transport") -> None:
        self._transport = transport
        self._theirs: dict[str, list[str]] = {}
        inside: Any = transport  # paramiko itself keeps only what both sides agree on
        parse = inside._really_parse_kex_init

        def keep(*args: Any, **kwargs: Any) -> dict[str, Any]:
            parsed: dict[str, Any] = parse(*args, **kwargs)
            self._theirs = {n: list(v) for n, v in parsed.items() if isinstance(v, list)}
            return parsed

        inside._really_parse_kex_init = keep

    @property
    def host_keys(self) -> list[str]:
        """The types of host key that the server has and we can check."""
        ours = self._transport.preferred_keys
        return [kind for kind in self._theirs.get("server_key_algo_list", []) if kind in ours]

    def nothing_in_common(self) -> str | None:
        """The kind of algorithm of which both sides know none, and what to do; None if there is."""
        for what, option, name, ours_are_in, good in _KINDS:
            ours = list(getattr(self._transport, ours_are_in))
            theirs = [algorithm[:64] for algorithm in self._theirs.get(name, [])]
            theirs = [a for a in theirs if not a.startswith(("ext-info-", "kex-strict-"))]
            if theirs and not set(ours) & set(theirs):
                return (
                    f"no common {what} algorithm was found: it offers {', '.join(theirs[:20])}; "
                    f"LNbits can use {', '.join(ours)}. Allow one of these there, in sshd_config: "
                    f"{option} +{good if good in ours else ours[0]}"
                )
        return None
