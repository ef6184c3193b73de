"""Signals during the start of the server, while it imports the frameworks."""

from __future__ import annotations

import subprocess
import sys


def test_ctrl_c_during_the_start_ends_the_process_without_a_traceback() -> None:
    script = """if True:
        import signal, sys, demo_server

        class Interruption:
            def find_spec(self, name, *_):
                if name == "fastapi":
                    signal.raise_signal(signal.SIGINT)

        sys.meta_path.insert(0, Interruption())
        demo_server.run(demo_server.Options(port=0))
        """
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_signal_during_the_start_ends_the_process_even_in_a_finalizer() -> None:
    script = """if True:
        import signal, sys, demo_server

        class Callback:
            def __del__(self):
                signal.raise_signal(signal.SIGTERM)

        class Interruption:
            def find_spec(self, name, *_):
                if name == "fastapi":
                    Callback()
                    print("passed over")

        sys.meta_path.insert(0, Interruption())
        demo_server.run(demo_server.Options(port=0))
        """
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=30)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
