package fuselage.demo.core;

import java.util.Arrays;

/** How long the last runs of the model took. */
public final class LatencyMeter {
    private final long[] last;
    private int taken;

    /** Keeps this many runs. */
    public LatencyMeter(int runs) {
        last = new long[runs];
    }

    public void add(long nanoseconds) {
        last[taken % last.length] = nanoseconds;
        taken++;
    }

    /** How many runs the median is of. */
    public int runs() {
        return Math.min(taken, last.length);
    }

    /** The median of the kept runs in milliseconds; of an even number the mean of the two in the middle. */
    public double medianMs() {
        if (runs() == 0) {
            throw new IllegalStateException("No run was measured yet.");
        }
        long[] sorted = Arrays.copyOf(last, runs());
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0;
        return median / 1e6;
    }
}
