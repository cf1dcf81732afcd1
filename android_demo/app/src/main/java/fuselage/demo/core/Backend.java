package fuselage.demo.core;

import java.nio.ByteBuffer;

/** What runs the model: TFLite in the app. */
public interface Backend extends AutoCloseable {
    /** Runs the model on one window from the zero state: what was run before must not matter. */
    void run(ByteBuffer input, ByteBuffer logits, ByteBuffer attention);

    @Override
    void close();
}
