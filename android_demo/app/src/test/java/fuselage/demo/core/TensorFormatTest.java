package fuselage.demo.core;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

import java.nio.ByteBuffer;
import org.junit.Test;

public final class TensorFormatTest {
    private final TensorFormat int8 = new TensorFormat(0, true, new int[] {1, 2}, 0.5f, -1, 0.5f);

    @Test
    public void quantizesByHand() {
        assertEquals(-1, int8.quantize(0f));
        assertEquals(1, int8.quantize(1f)); // 1 / 0.5 - 1
        assertEquals(1, int8.quantize(0.9f)); // 1.8 rounds to 2
    }

    @Test
    public void roundsTiesToEven() {
        assertEquals(-1, int8.quantize(0.25f)); // 0.5 to 0
        assertEquals(1, int8.quantize(0.75f)); // 1.5 to 2
        assertEquals(-1, int8.quantize(-0.25f)); // -0.5 to 0
        assertEquals(-3, int8.quantize(-0.75f)); // -1.5 to -2
    }

    @Test
    public void clipsAtBothEnds() {
        assertEquals(127, int8.quantize(1e30f));
        assertEquals(-128, int8.quantize(-1e30f));
        assertEquals(127, int8.quantize(Float.POSITIVE_INFINITY));
    }

    @Test
    public void dequantizesByHand() {
        assertEquals(64f, int8.dequantize((byte) 127), 0); // (127 + 1) * 0.5
        assertEquals(-63.5f, int8.dequantize((byte) -128), 0);
    }

    @Test
    public void writesAndReadsInt8() {
        ByteBuffer buffer = int8.allocate();
        int8.write(new float[] {1f, -2f}, buffer);
        assertEquals(2, buffer.remaining());
        assertEquals(1, buffer.get(0));
        assertEquals(-5, buffer.get(1));
        assertArrayEquals(new float[] {1f, -2f}, int8.read(buffer), 0);
    }

    @Test
    public void passesFloatThrough() {
        TensorFormat floats = new TensorFormat(0, false, new int[] {1, 2}, 0, 0, 0);
        ByteBuffer buffer = floats.allocate();
        floats.write(new float[] {0.1f, -3e8f}, buffer);
        assertEquals(8, buffer.remaining());
        assertArrayEquals(new float[] {0.1f, -3e8f}, floats.read(buffer), 0);
    }
}
