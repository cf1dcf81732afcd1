package fuselage.kernels;

import org.tensorflow.lite.Delegate;

/**
 * Runs the fused int8 LSTMs of a model: {@code new Interpreter.Options().addDelegate(new LstmDelegate())}.
 *
 * <p>Close it after the interpreter. The library is libfuselage_kernels.so of the freestanding build. The
 * structures of the interpreter are those of the versions named in docs/kernels.md: with another one compare a
 * few windows with the built-in kernel before you rely on it.
 */
public final class LstmDelegate implements Delegate {
    static {
        System.loadLibrary("fuselage_kernels");
    }

    private long handle = create();

    /** @throws IllegalStateException where the library has no memory. */
    public LstmDelegate() {
        if (handle == 0) {
            throw new IllegalStateException("fuselage-kernels: the delegate could not be created.");
        }
    }

    @Override
    public long getNativeHandle() {
        return handle;
    }

    @Override
    public void close() {
        if (handle != 0) {
            destroy(handle);
            handle = 0;
        }
    }

    private static native long create();

    private static native void destroy(long handle);
}
