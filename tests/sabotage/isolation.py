"""Planted faults in threads and processes of drivers: limits, refusals, the channel, what is left. Data only."""

from tests.sabotage.planted import Planted

HERE = "scenario/isolation"
LIMITS, REFUSALS, ATTACKS = f"{HERE}/test_limits.py", f"{HERE}/test_refusals.py", f"{HERE}/test_attacks.py"
ENDS, LEFT, ALIKE = f"{HERE}/test_ends.py", f"{HERE}/test_descendants.py", f"{HERE}/test_alike.py"
THREAD, PROCESS, KERNEL = f"{HERE}/test_thread.py", f"{HERE}/test_process.py", f"{HERE}/test_kernel.py"
FRAMES, CHANNEL = "unit/isolation/test_frames.py", "unit/isolation/test_process.py"
DECORATOR = "unit/driverkit/test_decorator.py"

OF_ISOLATION = (
    Planted(
        "a time-out leaves the process at work",
        "isolation/process.py",
        "except (DriverCrashError, DriverLimitError, asyncio.CancelledError):\n            self.end()\n",
        "except (DriverCrashError, DriverLimitError, asyncio.CancelledError):\n",
        (PROCESS, "endless_loop"),
    ),
    Planted(
        "memory is not measured",
        "isolation/warden.py",
        'elif self._limits["memory"] is not None:',
        "elif False:",
        (LIMITS, "limit"),
    ),
    Planted(
        "CPU time is not measured",
        "isolation/warden.py",
        'elif self._limits["cpu"] is not None and used_s > self._limits["cpu"]:',
        "elif False:",
        (LIMITS, "limit"),
    ),
    Planted(
        "processes are not counted",
        "isolation/warden.py",
        'if further > self._limits["processes"]:',
        "if False:",
        (LIMITS, "limit"),
    ),
    Planted(
        "what a turn leaves running goes on",
        "isolation/pool.py",
        "if host.leaves():",
        "if False:",
        (LEFT, "leaves_none and returns"),
    ),
    Planted(
        "the warden is no reaper of its descendants",
        "isolation/warden.py",
        "libc.prctl(_SUBREAPER, 1, 0, 0, 0)",
        "libc.prctl(_SUBREAPER, 0, 0, 0, 0)",
        (LEFT, "leaves_none and dies"),
    ),
    Planted(
        "the driver's process has the warden's line to the OS",
        "isolation/warden.py",
        "os.set_inheritable(control_fd, False)",
        "os.set_inheritable(control_fd, True)",
        (REFUSALS, "environment"),
    ),
    Planted(
        "the whole environment is handed on",
        "isolation/spawn.py",
        "passed = {name: ours[name] for name in (*_PASSED, *manifest.env) if name in ours}",
        "passed = dict(ours)",
        (REFUSALS, "environment"),
    ),
    Planted(
        "links are judged by their names",
        "isolation/audit.py",
        "return os.path.realpath(os.fsdecode(os.fspath(path)))",
        "return os.path.abspath(os.fsdecode(os.fspath(path)))",
        (REFUSALS, "refused"),
    ),
    Planted(
        "a process reads the data of the OS",
        "bootstrap.py",
        "hosts.hide(settings.data_dir)",
        "hosts.hide()",
        (REFUSALS, "data_of_the_os"),
    ),
    Planted(
        "sockets are not refused",
        "isolation/audit.py",
        'network = never("use the network")',
        "network = nothing",
        (REFUSALS, "refused"),
    ),
    Planted(
        "the kernel is not asked",
        "isolation/warden.py",
        'restrict(given["reach"])',
        "pass",
        (KERNEL, "kernel"),
    ),
    Planted(
        "a frame may be as long as it says",
        "isolation/frames.py",
        "if length > self._limit:",
        "if False:",
        (FRAMES, "over_the_limit"),
    ),
    Planted(
        "the answer of any call counts",
        "isolation/process.py",
        'elif message.get("call") == self._number and not self._answer.done():',
        "elif not self._answer.done():",
        (CHANNEL, "another_call"),
    ),
    Planted(
        "an earlier turn logs for another event",
        "isolation/process.py",
        'if self._ctx is not None and message.get("call") == self._number:',
        "if self._ctx is not None:",
        (ATTACKS, "earlier_turn"),
    ),
    Planted(
        "output is logged without end",
        "isolation/output.py",
        "keep = data[: max(0, TURN_BYTES - self._taken)]",
        "keep = data",
        (ATTACKS, "gigabyte"),
    ),
    Planted(
        "changed files run under the old hash",
        "isolation/child.py",
        "folder_hash(root / DRIVERS / _folder(manifest)) != manifest.code_hash:",
        "False:",
        (ENDS, "changed_since"),
    ),
    Planted(
        "a process is used for ever",
        "isolation/process.py",
        "return self._number >= CALLS or self._grown",
        "return False",
        (ENDS, "so_many_turns or grown"),
    ),
    Planted(
        "a refusal that a library wraps counts as the library's error",
        "isolation/child.py",
        "error = error.__cause__ or error.__context__",
        "break",
        (REFUSALS, "refused"),
    ),
    Planted(
        "a loop on a thread goes on",
        "isolation/threads.py",
        "if job.claim(\"stop\"):\n                self._stop(worker)\n",
        "if job.claim(\"stop\"):\n                pass\n",
        (THREAD, "stopped and loop"),
    ),
    Planted(
        "threads that cannot be stopped are not counted",
        "isolation/threads.py",
        "if len(self._stuck) >= STUCK:",
        "if False:",
        (THREAD, "bounded"),
    ),
    Planted(
        "all threads share one instance",
        "isolation/threads.py",
        "self._driver = load().apart()",
        "self._driver = load()",
        (ALIKE, "two_threads"),
    ),
    Planted(
        "secrets may be asked for by name",
        "driverkit/checks.py",
        "elif _SECRET.search(name):",
        "elif False:",
        (DECORATOR, "no_secret"),
    ),
)  # fmt: skip
