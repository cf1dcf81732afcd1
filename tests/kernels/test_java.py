"""The door for Java, in a virtual machine of this computer, with a stand-in for TensorFlow's interface."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest
from source_tree import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("javac") is None, reason="no Java compiler here"),
    pytest.mark.skipif(
        importlib.util.find_spec("fuselage_kernels") is None,
        reason="fuselage-kernels is not built here: pip install ./kernels",
    ),
]
DELEGATE = (
    "package org.tensorflow.lite; public interface Delegate extends AutoCloseable "
    "{ long getNativeHandle(); default void close() {} }"
)
MAIN = """
import fuselage.kernels.LstmDelegate;
public class Main {
    public static void main(String[] arguments) {
        for (int n = 0; n < 1000; n++) {
            LstmDelegate delegate = new LstmDelegate();
            if (delegate.getNativeHandle() == 0) throw new AssertionError("no handle");
            delegate.close();
            delegate.close();
            if (delegate.getNativeHandle() != 0) throw new AssertionError("closed");
        }
        System.out.println("created and closed");
    }
}
"""


def test_a_delegate_is_created_and_closed(tmp_path: Path) -> None:
    import fuselage_kernels

    interface = tmp_path / "org" / "tensorflow" / "lite" / "Delegate.java"
    interface.parent.mkdir(parents=True)
    interface.write_text(DELEGATE)
    (tmp_path / "Main.java").write_text(MAIN)
    ours = ROOT / "kernels" / "android" / "fuselage" / "kernels" / "LstmDelegate.java"
    sources = [interface, tmp_path / "Main.java", ours]
    subprocess.run(
        ["javac", "--release", "8", "-Xlint:-options", "-Werror", "-d", tmp_path, *sources], check=True
    )
    folder = fuselage_kernels.library.LIBRARY.parent
    command = ["java", "-cp", tmp_path, "-Xcheck:jni", f"-Djava.library.path={folder}", "Main"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "created and closed\n"), done.stdout + done.stderr
