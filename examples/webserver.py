"""A service that is a web server.

Usage: python webserver.py install|start [PORT]|stop|remove|status|debug [PORT]
"""

from __future__ import annotations

import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from winsvc.host import ServiceBase, run

log = logging.getLogger("webserver")


class Hello(BaseHTTPRequestHandler):
    """Says hello."""

    def do_GET(self) -> None:
        body = f"Hello from a Windows service; you requested {self.path}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class defines it
        log.debug(format, *args)  # BaseHTTPRequestHandler writes to stderr, which a service lacks


class WebServer(ServiceBase):
    """Serves on a port of this machine."""

    name, display_name = "webserver", "Web server"
    description = "Says hello at http://127.0.0.1:8080/."

    def main(self) -> None:
        port = int(self.arguments[0]) if self.arguments else 8080
        with ThreadingHTTPServer(("127.0.0.1", port), Hello) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.1,))
            thread.start()
            log.info("serving at port %d", server.server_port)
            self.report_running()  # not before it answers
            self.stop_requested.wait()
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    run(WebServer)
