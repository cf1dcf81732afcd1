package fuselage.demo.core;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import org.junit.Test;

public final class DecisionTest {
    @Test
    public void softmaxByHand() {
        Decision decision = Decision.of(new float[] {0, (float) Math.log(3)});
        assertArrayEquals(new float[] {0.25f, 0.75f}, decision.probabilities, 1e-7f);
        assertEquals(1, decision.best);
        assertEquals(0.75f, decision.confidence(), 1e-7f);
        assertTrue(decision.isSure());
    }

    @Test
    public void ofEqualClassesTheFirst() {
        assertEquals(1, Decision.of(new float[] {0, 2, 2}).best);
    }

    @Test
    public void isNotSureBelowAnEvenChance() {
        assertFalse(Decision.of(new float[] {0.1f, 0, 0}).isSure());
        assertTrue(Decision.of(new float[] {0, 0}).isSure()); // exactly one half
    }

    @Test
    public void staysFiniteWhateverTheLogits() {
        Decision decision = Decision.of(new float[] {1e30f, -1e30f});
        assertArrayEquals(new float[] {1, 0}, decision.probabilities, 0);
    }

    @Test
    public void refusesALogitThatIsNoNumber() {
        assertThrows(IllegalArgumentException.class, () -> Decision.of(new float[] {0, Float.NaN}));
        assertThrows(IllegalArgumentException.class, () -> Decision.of(new float[] {Float.NaN, 0}));
    }
}
