package org.tensorflow.lite;

import static org.bytedeco.tensorflowlite.global.tensorflowlite.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.tensorflowlite.TfLiteInterpreter;
import org.bytedeco.tensorflowlite.TfLiteInterpreterOptions;
import org.bytedeco.tensorflowlite.TfLiteModel;
import org.bytedeco.tensorflowlite.TfLiteTensor;

/**
 * Stands in for the Interpreter of the APK, whose native library is for Android alone: as much of it as the
 * app uses, over the C interface of TensorFlow Lite for the desktop. So the app's own code runs the model
 * in the tests.
 */
public final class Interpreter implements AutoCloseable {
    /** How many resets there were, so that a test can tell that one was forgotten. */
    public static int resets;
    /** Makes it fail as the real one does where its native library cannot be loaded. */
    public static boolean unlinked;

    /** As much as the app sets. */
    public static final class Options {
        private int threads = 1;

        public Options setNumThreads(int number) {
            threads = number;
            return this;
        }
    }

    private final BytePointer content;
    private final TfLiteModel model;
    private final TfLiteInterpreter interpreter;

    public Interpreter(ByteBuffer buffer, Options options) {
        if (unlinked) {
            throw new UnsatisfiedLinkError("Failed to load native TensorFlow Lite methods.");
        }
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("Model ByteBuffer should be either a MappedByteBuffer of the model "
                    + "file, or a direct ByteBuffer using ByteOrder.nativeOrder().");
        }
        content = new BytePointer(buffer);
        model = TfLiteModelCreate(content, buffer.capacity());
        if (model == null || model.isNull()) {
            throw new IllegalArgumentException("ByteBuffer is not a valid TensorFlow Lite model flatbuffer");
        }
        TfLiteInterpreterOptions settings = TfLiteInterpreterOptionsCreate();
        TfLiteInterpreterOptionsSetNumThreads(settings, options.threads);
        interpreter = TfLiteInterpreterCreate(model, settings);
        TfLiteInterpreterOptionsDelete(settings);
        if (interpreter == null || interpreter.isNull()) {
            throw new IllegalArgumentException("Cannot create interpreter");
        }
    }

    public void allocateTensors() {
        check(TfLiteInterpreterAllocateTensors(interpreter));
    }

    public void resetVariableTensors() {
        resets++;
        check(TfLiteInterpreterResetVariableTensors(interpreter));
    }

    public Tensor getInputTensor(int index) {
        require(index, TfLiteInterpreterGetInputTensorCount(interpreter));
        return new DesktopTensor(index, TfLiteInterpreterGetInputTensor(interpreter, index));
    }

    public Tensor getOutputTensor(int index) {
        require(index, TfLiteInterpreterGetOutputTensorCount(interpreter));
        return new DesktopTensor(index, TfLiteInterpreterGetOutputTensor(interpreter, index));
    }

    public void runForMultipleInputsOutputs(Object[] inputs, Map<Integer, Object> outputs) {
        for (int i = 0; i < inputs.length; i++) {
            ByteBuffer values = whole(inputs[i]);
            TfLiteTensor tensor = TfLiteInterpreterGetInputTensor(interpreter, i);
            check(TfLiteTensorCopyFromBuffer(tensor, new Pointer(values), values.remaining()));
        }
        check(TfLiteInterpreterInvoke(interpreter));
        for (Map.Entry<Integer, Object> output : outputs.entrySet()) {
            ByteBuffer values = whole(output.getValue());
            TfLiteTensor tensor = TfLiteInterpreterGetOutputTensor(interpreter, output.getKey());
            check(TfLiteTensorCopyToBuffer(tensor, new Pointer(values), values.remaining()));
            values.position(values.limit()); // as the real one leaves it
        }
    }

    @Override
    public void close() {
        TfLiteInterpreterDelete(interpreter);
        TfLiteModelDelete(model);
        content.close();
    }

    private static ByteBuffer whole(Object value) {
        ByteBuffer buffer = (ByteBuffer) value;
        if (!buffer.isDirect() || buffer.order() != ByteOrder.nativeOrder() || buffer.position() != 0) {
            throw new IllegalArgumentException("A buffer has to be direct, in native order, and rewound.");
        }
        return buffer;
    }

    private static void require(int index, int count) {
        if (index < 0 || index >= count) {
            throw new IllegalArgumentException("Invalid tensor index " + index + " of " + count);
        }
    }

    private static void check(int status) {
        if (status != kTfLiteOk) {
            throw new IllegalStateException("TensorFlow Lite failed: status " + status);
        }
    }
}
