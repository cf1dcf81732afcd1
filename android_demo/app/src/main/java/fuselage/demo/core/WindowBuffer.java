package fuselage.demo.core;

/** The last steps of a stream: a ring of [steps][channels]. Of one thread. */
public final class WindowBuffer {
    private final float[][] ring;
    private int next;
    private int filled;

    public WindowBuffer(int steps, int channels) {
        ring = new float[steps][channels];
    }

    /** Takes one step; the oldest leaves when the window is full. The values are copied. */
    public void add(float[] row) {
        if (row.length != ring[0].length) {
            throw new IllegalArgumentException("A step has " + row.length + " channels, not " + ring[0].length + ".");
        }
        System.arraycopy(row, 0, ring[next], 0, row.length);
        next = (next + 1) % ring.length;
        filled = Math.min(filled + 1, ring.length);
    }

    /** Forgets everything: what follows does not join what was. */
    public void clear() {
        next = 0;
        filled = 0;
    }

    /** How many steps are there. */
    public int filled() {
        return filled;
    }

    public boolean isFull() {
        return filled == ring.length;
    }

    /** A copy of what is there, the oldest step first: [filled][channels]. */
    public float[][] window() {
        float[][] window = new float[filled][];
        int first = isFull() ? next : 0;
        for (int step = 0; step < filled; step++) {
            window[step] = ring[(first + step) % ring.length].clone();
        }
        return window;
    }
}
