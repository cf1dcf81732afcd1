package fuselage.demo.core;

import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Turns the events of several sensors, which come when they like, into steps at the model's rate.
 *
 * <p>The step at time t holds, of each channel, the straight line between the two events around t. A pause
 * of a sensor, longer than {@link #longestGapNs}, ends the stream: nothing is made up across it. Of one
 * thread.
 */
public final class Resampler {
    /** Gets the steps. */
    public interface Sink {
        /** One step at the model's rate; the array is used again for the next. */
        void step(float[] row);

        /** The stream broke; the steps to come do not join those before. */
        void gap();
    }

    private static final int MOST_WAITING = 4096; // events of one sensor while another is silent

    private static final class Event {
        final long timeNs;
        final float[] values;

        Event(long timeNs, float[] values) {
            this.timeNs = timeNs;
            this.values = values;
        }
    }

    private final List<Channel> channels;
    private final double periodNs;
    private final Sink sink;
    private final Map<SensorKind, ArrayDeque<Event>> waiting = new EnumMap<>(SensorKind.class);
    private final float[] row;
    private boolean started;
    private long startNs;
    private long made; // steps since the start: multiplied, not added up, so that the grid does not drift

    public Resampler(List<Channel> channels, double rateHz, Sink sink) {
        this.channels = channels;
        this.periodNs = 1e9 / rateHz;
        this.sink = sink;
        this.row = new float[channels.size()];
        for (Channel channel : channels) {
            waiting.put(channel.sensor, new ArrayDeque<Event>());
        }
    }

    /** Half a second, or five periods of a slow model: a straight line longer than that is no measurement. */
    public long longestGapNs() {
        return Math.round(Math.max(0.5e9, 5 * periodNs));
    }

    /** Takes the event of a sensor: its time, and its values in Android's unit. */
    public void event(SensorKind sensor, long timeNs, float[] values) {
        ArrayDeque<Event> queue = waiting.get(sensor);
        if (queue == null) {
            return; // a sensor no channel asks for
        }
        Event last = queue.peekLast();
        if (last != null && timeNs <= last.timeNs) {
            return; // repeated or out of order
        }
        if (!finite(values) || queue.size() >= MOST_WAITING || someSilentBefore(timeNs)) {
            restart();
        }
        if (finite(values)) {
            queue.addLast(new Event(timeNs, values.clone()));
            drain();
        }
    }

    /** Forgets all events; the next start a new stream. */
    public void restart() {
        for (ArrayDeque<Event> queue : waiting.values()) {
            queue.clear();
        }
        started = false;
        sink.gap();
    }

    /** Whether a sensor that has spoken gave nothing for too long before this time. */
    private boolean someSilentBefore(long timeNs) {
        for (ArrayDeque<Event> queue : waiting.values()) {
            if (!queue.isEmpty() && timeNs - queue.peekLast().timeNs > longestGapNs()) {
                return true;
            }
        }
        return false;
    }

    private void drain() {
        for (ArrayDeque<Event> queue : waiting.values()) {
            if (queue.isEmpty()) {
                return;
            }
        }
        if (!started) {
            started = true;
            made = 0;
            startNs = Long.MIN_VALUE;
            for (ArrayDeque<Event> queue : waiting.values()) {
                startNs = Math.max(startNs, queue.peekFirst().timeNs);
            }
        }
        for (long at = next(); reached(at); at = next()) {
            for (int i = 0; i < row.length; i++) {
                Channel channel = channels.get(i);
                row[i] = channel.factor * at(waiting.get(channel.sensor), channel.axis, at);
            }
            made++;
            sink.step(row);
            if (!started) {
                return; // the sink has restarted us
            }
        }
    }

    private long next() {
        return startNs + Math.round(made * periodNs);
    }

    private boolean reached(long timeNs) {
        for (ArrayDeque<Event> queue : waiting.values()) {
            if (queue.peekLast().timeNs < timeNs) {
                return false;
            }
            while (second(queue) != null && second(queue).timeNs <= timeNs) {
                queue.removeFirst(); // two events around the step are enough
            }
        }
        return true;
    }

    private static float at(ArrayDeque<Event> queue, int axis, long timeNs) {
        Event before = queue.peekFirst();
        Event after = second(queue);
        if (after == null || before.timeNs >= timeNs) {
            return before.values[axis];
        }
        double part = (double) (timeNs - before.timeNs) / (after.timeNs - before.timeNs);
        return (float) (before.values[axis] + part * (after.values[axis] - before.values[axis]));
    }

    private static Event second(ArrayDeque<Event> queue) {
        Iterator<Event> events = queue.iterator();
        events.next();
        return events.hasNext() ? events.next() : null;
    }

    private static boolean finite(float[] values) {
        for (float value : values) {
            if (Float.isNaN(value) || Float.isInfinite(value)) {
                return false;
            }
        }
        return true;
    }}
