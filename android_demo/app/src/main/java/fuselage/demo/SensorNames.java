package fuselage.demo;

import fuselage.demo.core.SensorKind;

/** What a person calls the sensors. */
final class SensorNames {
    private SensorNames() {}

    /** The text's resource. */
    static int of(SensorKind kind) {
        switch (kind) {
            case ACCELEROMETER:
                return R.string.accelerometer;
            case LINEAR_ACCELERATION:
                return R.string.linear_acceleration;
            case GRAVITY:
                return R.string.gravity;
            case GYROSCOPE:
                return R.string.gyroscope;
            default:
                throw new AssertionError(kind);
        }
    }
}
