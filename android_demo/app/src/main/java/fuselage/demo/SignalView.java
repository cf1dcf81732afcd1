package fuselage.demo;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.Path;
import android.util.AttributeSet;
import android.util.TypedValue;
import android.view.View;
import fuselage.demo.core.Channel;
import fuselage.demo.core.ModelCard;
import fuselage.demo.core.SensorKind;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;

/**
 * The window as the model got it: a panel for each sensor with its axes as lines; behind them, the darker
 * the more a step counted, the attention weights, which a row of bars below gives in proportion.
 */
public final class SignalView extends View {
    private static final float BARS_PART = 0.16f; // of the height, for the row of attention bars

    private final Paint line = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint shade = new Paint();
    private final Paint grid = new Paint();
    private final Paint text = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final int[] axisColours;
    private final int attentionColour;
    private final Path path = new Path();
    private final float textSize;
    private Reading reading;

    public SignalView(Context context, AttributeSet attributes) {
        super(context, attributes);
        textSize = TypedValue.applyDimension(TypedValue.COMPLEX_UNIT_SP, 12, getResources().getDisplayMetrics());
        text.setTextSize(textSize);
        text.setColor(context.getColor(R.color.text_secondary));
        grid.setColor(context.getColor(R.color.track));
        grid.setStrokeWidth(dp(1));
        line.setStyle(Paint.Style.STROKE);
        line.setStrokeWidth(dp(1.5f));
        line.setStrokeJoin(Paint.Join.ROUND);
        attentionColour = context.getColor(R.color.attention);
        axisColours = new int[] {
            context.getColor(R.color.axis_x), context.getColor(R.color.axis_y), context.getColor(R.color.axis_z)
        };
    }

    void show(Reading shown) {
        reading = shown;
        setContentDescription(description());
        invalidate();
    }

    private String description() {
        if (reading.answer == null) {
            return getContext().getString(R.string.signal_only);
        }
        float[] attention = reading.answer.attention;
        int most = largest(attention);
        double ago = (attention.length - 1 - most) / reading.card.rateHz;
        return getContext().getString(R.string.attention_at, attention[most], ago);
    }

    @Override
    protected void onDraw(Canvas canvas) {
        if (reading == null || reading.card == null) {
            return;
        }
        ModelCard card = reading.card;
        float axis = 1.4f * textSize; // the times below
        float bars = reading.answer == null ? 0 : BARS_PART * getHeight();
        float bottom = getHeight() - axis;
        EnumSet<SensorKind> kinds = card.sensors();
        float height = (bottom - bars) / kinds.size();
        if (reading.answer != null) {
            drawAttention(canvas, reading.answer.attention, bottom - bars, bottom);
        }
        float top = 0;
        for (SensorKind kind : kinds) {
            drawPanel(canvas, kind, top, top + height);
            top += height;
        }
        drawTimes(canvas, card, bottom);
    }

    private void drawAttention(Canvas canvas, float[] attention, float barsTop, float bottom) {
        float most = Math.max(attention[largest(attention)], Float.MIN_VALUE);
        float width = (float) getWidth() / attention.length;
        shade.setColor(attentionColour);
        for (int step = 0; step < attention.length; step++) {
            float part = Math.max(0, attention[step] / most);
            float left = step * width;
            shade.setAlpha(Math.round(110 * part));
            canvas.drawRect(left, 0, left + width, barsTop, shade);
            shade.setAlpha(255);
            canvas.drawRect(left, bottom - part * (bottom - barsTop - 1.5f * textSize), left + width, bottom, shade);
        }
        canvas.drawText(description(), 0, barsTop + textSize, text);
    }

    private void drawPanel(Canvas canvas, SensorKind kind, float top, float bottom) {
        List<Integer> channels = channelsOf(kind);
        float titled = top + 1.4f * textSize;
        float middle = (titled + bottom) / 2;
        canvas.drawLine(0, middle, getWidth(), middle, grid);
        float reach = reach(channels);
        float scale = 0.92f * (bottom - titled) / 2 / reach;
        Channel first = reading.card.channels.get(channels.get(0));
        String unit = first.unit.isEmpty() ? getContext().getString(R.string.unit_assumed, kind.unit) : first.unit;
        String title = getContext().getString(R.string.panel, getContext().getString(SensorNames.of(kind)), reach, unit);
        canvas.drawText(title, 0, top + textSize, text);
        float right = getWidth();
        for (int i = channels.size() - 1; i >= 0; i--) {
            Channel channel = reading.card.channels.get(channels.get(i));
            line.setColor(axisColours[channel.axis]);
            drawLine(canvas, channels.get(i), middle, scale);
            right = drawAxisName(canvas, "xyz".substring(channel.axis, channel.axis + 1), right, top + textSize);
        }
    }

    private void drawLine(Canvas canvas, int channel, float middle, float scale) {
        float[][] window = reading.window;
        int steps = reading.card.steps;
        float width = (float) getWidth() / steps;
        int before = steps - window.length; // while the window fills, the newest step is at the right already
        path.rewind();
        for (int step = 0; step < window.length; step++) {
            float x = (before + step + 0.5f) * width;
            float y = middle - scale * window[step][channel];
            if (step == 0) {
                path.moveTo(x, y);
            } else {
                path.lineTo(x, y);
            }
        }
        canvas.drawPath(path, line);
    }

    private float drawAxisName(Canvas canvas, String name, float right, float baseline) {
        float left = right - text.measureText(name) - dp(10);
        float mark = baseline + text.ascent() / 2.5f;
        canvas.drawLine(left - dp(12), mark, left - dp(3), mark, line);
        canvas.drawText(name, left, baseline, text);
        return left - dp(14);
    }

    private void drawTimes(Canvas canvas, ModelCard card, float top) {
        float baseline = top + 1.2f * textSize;
        String from = getContext().getString(R.string.seconds_ago, card.seconds());
        String half = getContext().getString(R.string.seconds_ago, card.seconds() / 2);
        String now = getContext().getString(reading.isLive() ? R.string.now : R.string.end);
        canvas.drawLine(0, top, getWidth(), top, grid);
        canvas.drawText(from, 0, baseline, text);
        canvas.drawText(half, (getWidth() - text.measureText(half)) / 2, baseline, text);
        canvas.drawText(now, getWidth() - text.measureText(now), baseline, text);
    }

    private List<Integer> channelsOf(SensorKind kind) {
        List<Integer> found = new ArrayList<>();
        for (int i = 0; i < reading.card.channels.size(); i++) {
            if (reading.card.channels.get(i).sensor == kind) {
                found.add(i);
            }
        }
        return found;
    }

    /** The largest magnitude in the window, at least a tenth of a standard deviation, so that noise stays flat. */
    private float reach(List<Integer> channels) {
        float reach = 0;
        for (int channel : channels) {
            reach = Math.max(reach, 0.1f * reading.card.std[channel]);
            for (float[] row : reading.window) {
                reach = Math.max(reach, Math.abs(row[channel]));
            }
        }
        return reach;
    }

    private static int largest(float[] values) {
        int largest = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[largest]) {
                largest = i;
            }
        }
        return largest;
    }

    private float dp(float size) {
        return size * getResources().getDisplayMetrics().density;
    }
}
