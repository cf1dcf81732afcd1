package fuselage.demo.core;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.Test;

public final class ResamplerTest implements Resampler.Sink {
    private static final long MS = 1_000_000;
    private static final SensorKind A = SensorKind.LINEAR_ACCELERATION;
    private static final SensorKind G = SensorKind.GYROSCOPE;
    private final List<float[]> steps = new ArrayList<>();
    private int gaps;
    private final Resampler resampler = new Resampler(Arrays.asList(
            new Channel("acc z", "g", A, 2, 0.5f), new Channel("gyro x", "rad/s", G, 0, 1f)), 10, this);

    @Override
    public void step(float[] row) {
        steps.add(row.clone());
    }

    @Override
    public void gap() {
        gaps++;
    }

    private void a(double ms, float z) {
        resampler.event(A, Math.round(ms * MS), new float[] {-1, -1, z});
    }

    private void g(double ms, float x) {
        resampler.event(G, Math.round(ms * MS), new float[] {x, -1, -1});
    }

    @Test
    public void drawsStraightLinesBetweenEvents() {
        a(1000, 2);
        g(1020, 10); // both have spoken: the grid starts here, at 1020, 1120, ...
        a(1040, 6); // at 1020 half way between 2 and 6: 4, times the factor 0.5
        assertEquals(1, steps.size());
        assertArrayEquals(new float[] {2, 10}, steps.get(0), 0);
        a(1140, 6);
        g(1220, 30); // at 1120 half way between 10 and 30
        assertEquals(2, steps.size());
        assertArrayEquals(new float[] {3, 20}, steps.get(1), 1e-6f);
    }

    @Test
    public void givesStepsAtTheModelsRateWhateverTheSensors() {
        for (int i = 0; i <= 500; i++) {
            a(i * 7, i); // 143 Hz
            if (i % 3 == 0) {
                g(i * 7, i); // 48 Hz
            }
        }
        assertEquals(0, gaps);
        assertEquals(1 + (499 / 3 * 3 * 7) / 100, steps.size());
        assertEquals(100 / 7.0, steps.get(1)[1], 1e-4); // x of the gyroscope is time / 7 ms
        assertEquals(20 * 100 / 7.0, steps.get(20)[1], 1e-3);
    }

    @Test
    public void doesNotDriftWhereThePeriodIsNoWholeNumber() {
        Resampler thirds = new Resampler(Arrays.asList(new Channel("x", "", G, 0, 1f)), 30, this);
        for (int second = 0; second <= 3000; second++) {
            thirds.event(G, second * 100L * MS, new float[] {second, 0, 0});
        }
        assertEquals(3000 * 3 + 1, steps.size()); // 300 s at 30 Hz, and the first
    }

    @Test
    public void aPauseEndsTheStream() {
        a(0, 1);
        g(0, 1);
        a(100, 1);
        g(100, 1);
        assertEquals(2, steps.size());
        a(800, 1);
        assertEquals(1, gaps);
        g(800, 1);
        assertEquals(3, steps.size()); // a new grid from 800 on; nothing in between was made up
        assertEquals(1, gaps);
    }

    @Test
    public void oneSilentSensorEndsTheStreamToo() {
        a(0, 1);
        g(0, 1);
        for (int ms = 50; ms <= 600; ms += 50) {
            a(ms, 1);
        }
        assertEquals(1, steps.size());
        assertTrue(gaps > 0);
    }

    @Test
    public void aValueThatIsNoNumberEndsTheStream() {
        a(0, 1);
        g(0, 1);
        a(100, Float.NaN);
        assertEquals(1, gaps);
        a(120, 5);
        g(120, 5);
        assertArrayEquals(new float[] {2.5f, 5}, steps.get(1), 0);
    }

    @Test
    public void repeatedEventsAndOthersSensorsAreLeftOut() {
        a(0, 1);
        g(0, 1);
        a(0, 9);
        a(-50, 9);
        resampler.event(SensorKind.GRAVITY, 50 * MS, new float[] {9, 9, 9});
        a(100, 1);
        g(100, 1);
        assertArrayEquals(new float[] {0.5f, 1}, steps.get(1), 0);
        assertEquals(0, gaps);
    }
}
