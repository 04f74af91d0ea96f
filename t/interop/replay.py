# SPDX-License-Identifier: Apache-2.0
"""Sends the same requests to two servers and compares what they answer.

usage: replay.py STOCK-URL OTHER-URL DIFFERENCES REQUESTS...

REQUESTS has a request a line, in the order they are sent:

    METHOD[(CONTENT-TYPE)] PATH[?NAME=VALUE&...] [BODY] [=> NAME PATH.TO.MEMBER]

PATH is below /api/2.0/mlflow/ unless it starts with a slash; values of the query are encoded
here.  => keeps a member of the answer, an id, for $NAME in later requests; answers are
compared with $NAME in the place of the id.  $x250 is 250 times an x, $metrics9, $params9 and
$tags9 a list of 9 of them, and "#" starts a comment.

DIFFERENCES has requests, as they stand there, each group followed by an indented line:

    MEMBER[,MEMBER...]: REASON

with the members in which the answers may differ (body.message; status; body for any in it).
A difference that is not listed fails, and so does a listed one that is none.
"""
import http.client
import itertools
import json
import re
import sys
import urllib.parse

# Of stock MLflow alone; no client reads them.
EXTRA_MEMBERS = {"sqlstate", "error_class", "workspace"}
# Lists without an order, as a run's "metrics" is, but not a history's.
UNORDERED = {"tags", "params", "aliases"}
# What the database said, behind what MLflow says.
SQL_TEXT = re.compile(r"( Error: )?\((sqlite3\.\w+\)|raised as a result of Query).*", re.DOTALL)
MISSING = "(missing)"
LISTS = {
    "metrics": lambda i: {"key": f"m{i}", "value": i, "timestamp": 1, "step": 0},
    "params": lambda i: {"key": f"p{i}", "value": str(i)},
    "tags": lambda i: {"key": f"t{i}", "value": str(i)},
}


def expand(text, ids):
    """The text with its $words replaced; one that stands for nothing stays."""
    def replace(match):
        word = match.group(1)
        if word in ids:
            return str(ids[word])
        macro = re.fullmatch(r"([a-z]+?)(\d+)", word)
        if macro and macro.group(1) == "x":
            return "x" * int(macro.group(2))
        if macro and macro.group(1) in LISTS:
            return json.dumps([LISTS[macro.group(1)](i) for i in range(int(macro.group(2)))])
        return match.group(0)
    return re.sub(r"\$(\w+)", replace, text)


class Request:
    def __init__(self, line):
        self.text, _, keep = (part.strip() for part in line.partition(" => "))
        self.keep = keep.split() if keep else None
        match = re.fullmatch(r"([A-Z]+)(?:\(([^)]*)\))? (.*)", self.text)
        self.method, self.type, rest = match.groups()
        if self.method in ("GET", "HEAD"):
            self.path, self.body = rest, None
        else:
            self.path, _, self.body = rest.partition(" ")
        if self.type is None:
            self.type = "application/json" if self.body else ""

    def url(self, ids):
        path, _, query = expand(self.path, ids).partition("?")
        pairs = (pair.partition("=") for pair in query.split("&") if pair)
        query = "&".join(f"{name}={urllib.parse.quote(value, safe='')}" for name, _, value in pairs)
        if not path.startswith("/"):
            path = "/api/2.0/mlflow/" + path
        return path + ("?" + query if query else "")


class Server:
    def __init__(self, url):
        self.host = urllib.parse.urlsplit(url).netloc
        self.ids = {}

    def answer(self, request):
        """Sends it on a connection of its own, so that no answer disturbs the next."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        body = expand(request.body, self.ids).encode() if request.body else None
        headers = {"Content-Type": request.type} if request.type else {}
        connection.request(request.method, request.url(self.ids), body, headers)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "backslashreplace")
        kind = (response.getheader("Content-Type") or "").partition(";")[0]
        connection.close()
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        if request.keep:
            self.ids[request.keep[0]] = member(value, request.keep[1])
        return response.status, kind, value

    def hide_ids(self, text):
        for name, value in self.ids.items():
            if isinstance(value, str) and len(value) > 7:
                text = text.replace(value, "$" + name)
        return text

    def plain(self, value, name="", inside=""):
        """The value without what differs from server to server and from run to run."""
        if name == "next_page_token":
            return "(token)"
        if isinstance(value, dict):
            members = ((k, self.plain(v, k, name)) for k, v in value.items()
                       if k not in EXTRA_MEMBERS)
            # Clients read an empty message or list as they read none.
            return {k: v for k, v in members if v not in ({}, [])}
        if isinstance(value, list):
            items = [self.plain(item) for item in value]
            unordered = name in UNORDERED or (inside, name) == ("data", "metrics")
            return sorted(items, key=json.dumps) if unordered else items
        if isinstance(value, str):
            try:
                inner = json.loads(value) if value[:1] in ("[", "{") else None
            except ValueError:
                inner = None
            return self.plain(inner) if inner else self.hide_ids(SQL_TEXT.sub("", value))
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON has one kind of number
        return "(now)" if isinstance(value, int) and 1.6e12 < value < 1e13 else value


def member(value, path):
    for name in path.split("."):
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (KeyError, IndexError, TypeError):
            return f"(no {path})"
    return value


class Differences:
    def __init__(self, path):
        self.known, self.met, group = {}, set(), []
        with open(path, encoding="utf-8") as f:
            for line in f:
                if line[0].isspace() and line.strip():
                    members = line.partition(":")[0].replace(",", " ").split()
                    for text in group:
                        self.known.setdefault(text, []).extend(members)
                    group = []
                elif line.strip() and not line.startswith("#"):
                    group.append(line.strip())

    def covers(self, request, answers):
        """Whether the answers differ in listed members only."""
        members = self.known.get(request.text, ())
        self.met.add(request.text)
        return all(any((path + ".").startswith(m + ".") for m in members)
                   for path, _, _ in differing(*answers))

    def stale(self):
        return [text for text in self.known if text not in self.met]


def read_requests(paths):
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for line in f:
                if line.strip() and not line.startswith("#"):
                    yield Request(line.strip())


def differing(one, two, path=""):
    """Where and how two values differ."""
    if json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True):
        return
    if isinstance(one, dict) and isinstance(two, dict):
        for name in sorted(set(one) | set(two)):
            inner = f"{path}.{name}" if path else name
            yield from differing(one.get(name, MISSING), two.get(name, MISSING), inner)
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for i, (a, b) in enumerate(zip(one, two)):
            yield from differing(a, b, f"{path}.{i}")
    else:
        yield path, one, two


def show(request, answers):
    print(f"differs: {request.text}")
    for path, one, two in itertools.islice(differing(*answers), 10):
        print(f"  {path}")
        for title, value in ("stock", one), ("other", two):
            print(f"    {title} {json.dumps(value, ensure_ascii=False)[:1500]}")


def main(stock, other, differences, *paths):
    servers = Server(stock), Server(other)
    known = Differences(differences)
    total = expected = failures = 0
    for request in read_requests(paths):
        total += 1
        answers = []
        for server in servers:
            status, kind, value = server.answer(request)
            body = "(page)" if kind == "text/html" else server.plain(value)
            answers.append({"status": status, "type": kind, "body": body})
        if not any(differing(*answers)):
            continue
        if known.covers(request, answers):
            expected += 1
            continue
        failures += 1
        show(request, answers)
    for text in known.stale():
        failures += 1
        print(f"listed, but does not differ: {text}")
    print(f"{total} requests, {expected} known differences, {failures} failures")
    return failures != 0 or total == 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
