package fuselage.demo.core;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public final class WindowBufferTest {
    private final WindowBuffer buffer = new WindowBuffer(3, 2);

    @Test
    public void fillsAndThenSlides() {
        buffer.add(new float[] {1, -1});
        buffer.add(new float[] {2, -2});
        assertFalse(buffer.isFull());
        assertArrayEquals(new float[][] {{1, -1}, {2, -2}}, buffer.window());
        buffer.add(new float[] {3, -3});
        assertTrue(buffer.isFull());
        buffer.add(new float[] {4, -4});
        assertArrayEquals(new float[][] {{2, -2}, {3, -3}, {4, -4}}, buffer.window());
    }

    @Test
    public void slidesAcrossItsEndManyTimes() {
        for (int i = 1; i <= 100; i++) {
            buffer.add(new float[] {i, 0});
        }
        assertArrayEquals(new float[][] {{98, 0}, {99, 0}, {100, 0}}, buffer.window());
    }

    @Test
    public void forgetsWhenItIsCleared() {
        for (int i = 0; i < 5; i++) {
            buffer.add(new float[] {i, i});
        }
        buffer.clear();
        assertEquals(0, buffer.filled());
        buffer.add(new float[] {7, 8});
        assertArrayEquals(new float[][] {{7, 8}}, buffer.window());
    }

    @Test
    public void copiesWhatItTakesAndWhatItGives() {
        float[] row = {1, 2};
        buffer.add(row);
        row[0] = 9;
        buffer.window()[0][1] = 9;
        assertArrayEquals(new float[][] {{1, 2}}, buffer.window());
    }

    @Test
    public void refusesAStepOfAnotherWidth() {
        assertThrows(IllegalArgumentException.class, () -> buffer.add(new float[] {1}));
    }
}
