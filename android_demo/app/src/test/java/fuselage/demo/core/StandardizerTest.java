package fuselage.demo.core;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertThrows;

import org.junit.Test;

public final class StandardizerTest {
    private final Standardizer standardizer = new Standardizer(new float[] {1, -2}, new float[] {2, 4});

    @Test
    public void standardizesEachChannelByHand() {
        float[][] window = {{1, -2}, {3, 2}};
        assertArrayEquals(new float[] {0, 0, 1, 1}, standardizer.flatten(window), 0);
    }

    @Test
    public void refusesAStepOfAnotherWidth() {
        assertThrows(IllegalArgumentException.class, () -> standardizer.flatten(new float[][] {{1, 2, 3}}));
    }
}
