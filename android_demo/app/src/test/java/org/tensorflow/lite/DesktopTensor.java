package org.tensorflow.lite;

import static org.bytedeco.tensorflowlite.global.tensorflowlite.*;

import java.nio.ByteBuffer;
import org.bytedeco.tensorflowlite.TfLiteQuantizationParams;
import org.bytedeco.tensorflowlite.TfLiteTensor;

/** What the stand-in {@link Interpreter} says about a tensor. */
final class DesktopTensor implements Tensor {
    private final int index;
    private final TfLiteTensor tensor;

    DesktopTensor(int index, TfLiteTensor tensor) {
        this.index = index;
        this.tensor = tensor;
    }

    @Override
    public DataType dataType() {
        int type = TfLiteTensorType(tensor);
        if (type == kTfLiteFloat32) {
            return DataType.FLOAT32;
        }
        if (type == kTfLiteInt8) {
            return DataType.INT8;
        }
        throw new IllegalStateException("Type " + type + " is not used by the tests.");
    }

    @Override
    public int[] shape() {
        int[] shape = new int[numDimensions()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = TfLiteTensorDim(tensor, i);
        }
        return shape;
    }

    @Override
    public int[] shapeSignature() {
        return shape();
    }

    @Override
    public int numDimensions() {
        return TfLiteTensorNumDims(tensor);
    }

    @Override
    public int numBytes() {
        return (int) TfLiteTensorByteSize(tensor);
    }

    @Override
    public int numElements() {
        return numBytes() / dataType().byteSize();
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public String name() {
        return TfLiteTensorName(tensor).getString();
    }

    @Override
    public QuantizationParams quantizationParams() {
        TfLiteQuantizationParams found = TfLiteTensorQuantizationParams(tensor);
        return new QuantizationParams(found.scale(), found.zero_point());
    }

    @Override
    public ByteBuffer asReadOnlyBuffer() {
        return TfLiteTensorData(tensor).asByteBuffer().asReadOnlyBuffer();
    }
}
