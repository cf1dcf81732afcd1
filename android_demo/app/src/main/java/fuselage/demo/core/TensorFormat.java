package fuselage.demo.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * How the values of one input or output are held: float32, or int8 with
 * real = scale * (q - zeroPoint). The arithmetic is that of pipeline/runtime.py, operation for operation.
 */
public final class TensorFormat {
    /** Its place among the interpreter's inputs or outputs. */
    public final int index;
    public final boolean int8;
    public final int[] shape;
    public final float scale;
    public final int zeroPoint;
    /** One quantized step in real units, also of a float tensor that was int8 inside; else 0. */
    public final float step;

    public TensorFormat(int index, boolean int8, int[] shape, float scale, int zeroPoint, float step) {
        this.index = index;
        this.int8 = int8;
        this.shape = shape.clone();
        this.scale = scale;
        this.zeroPoint = zeroPoint;
        this.step = step;
    }

    static TensorFormat of(JSONObject json) throws JSONException, UnusableModelException {
        String type = json.getString("type");
        JSONArray sizes = json.getJSONArray("shape");
        int[] shape = new int[sizes.length()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = sizes.getInt(i);
        }
        boolean int8 = type.equals("int8");
        double scale = json.getDouble("scale");
        if (!int8 && !type.equals("float32")) {
            throw new UnusableModelException("A tensor is " + type + "; the app reads float32 and int8.");
        }
        if (int8 && !(scale > 0 && scale < Float.MAX_VALUE)) {
            throw new UnusableModelException("An int8 tensor has the scale " + scale + ".");
        }
        return new TensorFormat(json.getInt("index"), int8, shape, (float) scale, json.getInt("zero_point"),
                (float) json.getDouble("step"));
    }

    /** How many values it holds. */
    public int size() {
        int size = 1;
        for (int one : shape) {
            size *= one;
        }
        return size;
    }

    /** A buffer for its values, in the byte order the interpreter wants. */
    public ByteBuffer allocate() {
        return ByteBuffer.allocateDirect(int8 ? size() : 4 * size()).order(ByteOrder.nativeOrder());
    }

    /** Writes real values: q = clip(round(x / scale) + zeroPoint, -128, 127), ties to even. */
    public void write(float[] values, ByteBuffer buffer) {
        buffer.rewind();
        for (float value : values) {
            if (int8) {
                buffer.put(quantize(value));
            } else {
                buffer.putFloat(value);
            }
        }
        buffer.rewind();
    }

    /** Reads real values. */
    public float[] read(ByteBuffer buffer) {
        buffer.rewind();
        float[] values = new float[size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = int8 ? dequantize(buffer.get()) : buffer.getFloat();
        }
        return values;
    }

    byte quantize(float value) {
        double steps = Math.rint(value / scale) + zeroPoint; // the division is float32's
        return (byte) Math.max(-128, Math.min(127, steps));
    }

    float dequantize(byte q) {
        return (q - zeroPoint) * scale;
    }
}
