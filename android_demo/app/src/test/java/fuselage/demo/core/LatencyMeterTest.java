package fuselage.demo.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import org.junit.Test;

public final class LatencyMeterTest {
    private final LatencyMeter meter = new LatencyMeter(3);

    @Test
    public void medianOfTheLastRuns() {
        meter.add(9_000_000);
        assertEquals(9.0, meter.medianMs(), 0);
        meter.add(1_000_000);
        assertEquals(5.0, meter.medianMs(), 0);
        meter.add(2_000_000);
        assertEquals(2.0, meter.medianMs(), 0);
        meter.add(3_000_000); // the 9 ms of the start is forgotten
        assertEquals(2.0, meter.medianMs(), 0);
        assertEquals(3, meter.runs());
    }

    @Test
    public void hasNoMedianOfNothing() {
        assertThrows(IllegalStateException.class, () -> meter.medianMs());
    }
}
