package fuselage.demo;

import android.hardware.Sensor;
import android.hardware.SensorEvent;
import android.hardware.SensorEventListener;
import android.hardware.SensorManager;
import android.os.Handler;
import fuselage.demo.core.Resampler;
import fuselage.demo.core.SensorKind;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;

/** The phone's sensors, heard on the worker's thread. */
final class SensorFeed implements SensorEventListener {
    private static final int SHORTEST_PERIOD_US = 5000; // a shorter one would need a permission

    private final SensorManager manager;
    private final Handler worker;
    private final Map<SensorKind, Sensor> sensors = new EnumMap<>(SensorKind.class);
    private final EnumSet<SensorKind> missing = EnumSet.noneOf(SensorKind.class);
    private final int periodUs;
    private Resampler resampler;

    SensorFeed(SensorManager manager, EnumSet<SensorKind> needed, double rateHz, Handler worker) {
        this.manager = manager;
        this.worker = worker;
        // Twice the model's rate: the straight lines between events stay short.
        periodUs = Math.max(SHORTEST_PERIOD_US, (int) Math.round(1e6 / (2 * rateHz)));
        for (SensorKind kind : needed) {
            Sensor sensor = manager == null ? null : manager.getDefaultSensor(type(kind));
            if (sensor == null) {
                missing.add(kind);
            } else {
                sensors.put(kind, sensor);
            }
        }
    }

    /** The needed sensors that this phone has not. */
    EnumSet<SensorKind> missing() {
        return EnumSet.copyOf(missing);
    }

    /** Starts to listen; false where a sensor refuses. */
    boolean start(Resampler to) {
        resampler = to;
        for (Sensor sensor : sensors.values()) {
            if (!manager.registerListener(this, sensor, periodUs, worker)) {
                stop();
                return false;
            }
        }
        return true;
    }

    void stop() {
        resampler = null;
        if (manager != null) {
            manager.unregisterListener(this);
        }
    }

    @Override
    public void onSensorChanged(SensorEvent event) {
        SensorKind kind = kind(event.sensor.getType());
        if (resampler != null && kind != null) { // an event may still be under way after stop()
            resampler.event(kind, event.timestamp, event.values);
        }
    }

    @Override
    public void onAccuracyChanged(Sensor sensor, int accuracy) {
        // The model was trained on what came; so it gets what comes.
    }

    private static SensorKind kind(int type) {
        for (SensorKind kind : SensorKind.values()) {
            if (type(kind) == type) {
                return kind;
            }
        }
        return null;
    }

    private static int type(SensorKind kind) {
        switch (kind) {
            case ACCELEROMETER:
                return Sensor.TYPE_ACCELEROMETER;
            case LINEAR_ACCELERATION:
                return Sensor.TYPE_LINEAR_ACCELERATION;
            case GRAVITY:
                return Sensor.TYPE_GRAVITY;
            case GYROSCOPE:
                return Sensor.TYPE_GYROSCOPE;
            default:
                throw new AssertionError(kind);
        }
    }
}
