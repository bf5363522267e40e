"""One node of Redis, as the operator's scripts use it: where it is, its commands, and what to do about what it refuses."""

import argparse
import os
import re
import socket
import ssl
import sys
import time
from hashlib import sha1
from urllib.parse import unquote, urlsplit

# How far Redis's clock and this machine's may differ, in seconds: what is older is removed for ever.
MOST_APART = 60
TIMEOUT = 30

USER_NEEDS = (
    "the commands EVAL, EVALSHA, SCAN, INFO, TIME, XLEN, XRANGE, XREVRANGE, XINFO|STREAM, XADD, XTRIM, XSETID, RENAME, UNLINK, MEMORY|USAGE, "
    "PTTL, PEXPIRE, HGET, HSET, HDEL, HEXISTS, HLEN, ZSCORE and EXISTS on the keys confab:*"
)


class Refused(Exception):
    """What Redis said in place of a reply."""

    def is_elsewhere(self):
        """Whether the key is, or may soon be, on another node of a Cluster."""
        return str(self).startswith(("MOVED ", "ASK ", "TRYAGAIN "))

    def advice(self):
        """What to do about it."""
        said = str(self)
        for beginning, advice in {
            "NOAUTH": "Redis asks for a password: set it in REDISCLI_AUTH, and name the user, if there is one: --redis redis://USER@HOST:PORT.",
            "WRONGPASS": "Correct the user in --redis redis://USER@HOST:PORT, and the password in REDISCLI_AUTH.",
            "READONLY": "This node is a replica: name its primary in --redis.",
            "LOADING": "Redis reads its data from disk: run this again once it has.",
            "OOM": "Redis's memory is full: raise maxmemory, and run this again.",
            "MISCONF": "Redis cannot write to its disk, and takes no changes: make room there, and run this again.",
            "MOVED": "Name the primary that has the key: in a Cluster, run this for each primary.",
            "BUSY": "Another script runs on Redis: run this again once it has ended.",
        }.items():
            if said.startswith(beginning):
                return advice
        if said.startswith("NOPERM") or re.search(r"can't run this command|can't access|no permissions|ACL failure", said):
            return f"Give the user {USER_NEEDS}."
        if "unknown command" in said.lower() or "unknown subcommand" in said.lower():
            return "Redis must be 7.0 or later, with none of its commands renamed."
        if said.startswith("WRONGTYPE"):
            return "Another program has written this key: find out which, and delete the key or rename it."
        return "Mend that, and run this again: it begins where it is needed."


def stop(text):
    """Ends the script with an error."""
    sys.exit(f"{os.path.basename(sys.argv[0])}: {text}")


class Node:
    """A connection to a node, at a URL like redis://USER:PASSWORD@HOST:PORT/DATABASE, or rediss:// with TLS."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.place = f"{parts.hostname}:{parts.port or 6379}"
        password = unquote(parts.password) if parts.password is not None else os.environ.get("REDISCLI_AUTH")
        try:
            self.socket = socket.create_connection((parts.hostname, parts.port or 6379), TIMEOUT)
            if parts.scheme == "rediss":
                self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=parts.hostname)
        except OSError as why:
            stop(f"there is no Redis at {self.place}: {why}. Name a running one: --redis redis://HOST:PORT.")
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.replies = self.socket.makefile("rb")
        self.url, self.digests = parts, {}
        if parts.username and password is None:
            stop(f"there is no password for the user {unquote(parts.username)}. Set it in REDISCLI_AUTH.")
        if password is not None:
            self.call("AUTH", *([unquote(parts.username)] if parts.username else []), password)
        if parts.path.strip("/"):
            self.call("SELECT", parts.path.strip("/"))

    def at(self, place):
        """The node of the same Cluster at `host:port`."""
        user, at, _ = self.url.netloc.rpartition("@")
        return Node(self.url._replace(netloc=user + at + place).geturl())

    def call(self, *words):
        """The reply to a command. Fails with `Refused`."""
        encoded = [str(word).encode("utf-8", "surrogateescape") for word in words]
        command = b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)
        try:
            self.socket.sendall(command)
            return self._reply()
        except OSError as why:
            stop(f"the connection to Redis at {self.place} broke: {why}. Run this again: it begins where it is needed.")

    def _reply(self):
        line = self.replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed it")
        kind, rest = line[:1], line[1:-2].decode("utf-8", "surrogateescape")
        if kind == b"-":
            raise Refused(rest)
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if rest == "-1":
            return None
        if kind == b"$":
            return self.replies.read(int(rest) + 2)[:-2].decode("utf-8", "surrogateescape")
        replies = []
        # All of it is read, or the next command would receive the rest.
        for _ in range(int(rest)):
            try:
                replies.append(self._reply())
            except Refused as refusal:
                replies.append(refusal)
        return replies

    def run(self, script, keys, *arguments):
        """The reply of a script to these keys."""
        digest = self.digests.get(script)
        if digest:
            try:
                return self.call("EVALSHA", digest, len(keys), *keys, *arguments)
            except Refused as refusal:
                if not str(refusal).startswith("NOSCRIPT"):
                    raise
        reply = self.call("EVAL", script, len(keys), *keys, *arguments)
        self.digests[script] = sha1(script.encode()).hexdigest()
        return reply

    def walk(self, pattern):
        """Every key that matches, in steps that are short for Redis. One may come twice, if the keys change meanwhile."""
        cursor = "0"
        while True:
            cursor, keys = self.call("SCAN", cursor, "MATCH", pattern, "COUNT", 500)
            yield from keys
            if cursor == "0":
                return

    def info(self, section, name):
        """The value with this name in a section of INFO; empty if there is none."""
        found = re.search(rf"^{name}:(.*?)\r?$", self.call("INFO", section), re.M)
        return found[1] if found else ""

    def is_in_cluster(self):
        return self.info("cluster", "cluster_enabled") == "1"

    def must_be_primary(self):
        if self.info("replication", "role") != "master":
            host, port = (self.info("replication", f"master_{what}") for what in ("host", "port"))
            stop(f"the Redis at {self.place} is a replica. Name its primary: --redis redis://{host}:{port}.")

    def time(self):
        """The time in seconds, if Redis's clock and this machine's agree."""
        seconds, _ = self.call("TIME")
        apart = int(seconds) - time.time()
        if abs(apart) > MOST_APART:
            stop(
                f"the clock of Redis is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} this machine's, and one of them is wrong. "
                "Nothing is removed by a wrong clock: set it, and run this again."
            )
        return int(seconds)


def chat_of(key, what):
    """The chat, as its keys name it, if this key is one of its own; else None."""
    found = re.fullmatch(r"confab:\{([^:{}]+:[^:{}]+)\}:" + what, key)
    return found and found[1]


def key_of(chat, what):
    return f"confab:{{{chat}}}:{what}"


def _url(text):
    try:
        parts = urlsplit(text)
        if parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0:
            return text
    except ValueError:
        pass
    raise argparse.ArgumentTypeError("not the URL of a Redis. Write it as redis://HOST:PORT, or rediss://HOST:PORT with TLS")


def arguments_of(description, **options):
    """A parser of a script's arguments, which has --redis."""
    parser = argparse.ArgumentParser(
        description=description, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options
    )
    parser.add_argument(
        "--redis",
        metavar="URL",
        type=_url,
        default="redis://127.0.0.1:6379",
        help="the node, by default redis://127.0.0.1:6379; rediss:// is with TLS. REDISCLI_AUTH may have the password. In a Cluster, run this for each primary",
    )
    return parser
