namespace Curvature.FSharp

open System
open Curvature

/// A line across a chart with a number beside it, or a short mark without one.
[<NoEquality; NoComparison>]
type internal Tick = { Value: float; Label: string }

/// An axis fitted to its data: places are shares of its length.
[<NoEquality; NoComparison>]
type internal Scale =
    {
        Place: float -> float
        Ticks: Tick[]
        /// Places between ticks, without numbers.
        Minor: float[]
    }

module internal Scale =

    /// Numbers are drawn within this; beyond it, differences overflow.
    let private greatest = 1e300
    /// And ranges of at least this; below it, steps underflow.
    let private least = 1e-290

    /// Steps of 1, 2 or 5 times a power of ten, about as many as asked for.
    let private niceStep (length: float) (count: int) =
        let raw = length / float count
        let power = Math.Pow(10.0, float (Labels.magnitude raw))

        match raw / power with
        | fraction when fraction <= 1.0 + 1e-9 -> power
        | fraction when fraction <= 2.0 + 1e-9 -> 2.0 * power
        | fraction when fraction <= 5.0 + 1e-9 -> 5.0 * power
        | _ -> 10.0 * power

    /// Multiples of a nice step from low to high.
    let niceNumbers (count: int) (low: float) (high: float) : float[] =
        let step = niceStep (high - low) count
        let first, last = ceil (low / step - 1e-9), floor (high / step + 1e-9)
        // Where numbers are so close that steps are lost in rounding, there are no ticks.
        if last - first < 1000.0 then
            [| for k in 0.0 .. last - first -> (first + k) * step |]
        else
            [||]

    let private linearTicks count low high =
        let values = niceNumbers count low high
        let largest = values |> Array.map abs |> Array.fold max 0.0
        let step = niceStep (high - low) count
        values |> Array.map (fun value -> { Value = value; Label = Labels.tick largest step value })

    /// Powers of ten from low to high, every so many that there are no more than eight.
    let private decades low high =
        let first, last = int (ceil (low - 1e-9)), int (floor (high + 1e-9))
        let stride = max 1 ((last - first + 8) / 8)

        [|
            for exponent in first..last do
                if exponent % stride = 0 then exponent
        |],
        stride

    let private tenTo (exponent: int) = Math.Pow(10.0, float exponent)

    let private decadeLabel plain exponent =
        if plain then
            Labels.tick (tenTo 5) (tenTo exponent) (tenTo exponent)
        else
            Labels.power exponent

    let private logarithmicTicks (low: float) (high: float) =
        let exponents, stride = decades low high
        let plain = exponents |> Array.forall (fun exponent -> abs exponent <= 3)

        let between factors =
            [|
                for exponent in int (floor low) .. int (ceil high) do
                    for factor in factors do
                        let value = factor * tenTo exponent
                        if log10 value >= low && log10 value <= high then value
            |]

        if exponents.Length < 2 then
            // Less than two powers of ten: 2 and 5 times them have numbers too, and otherwise nice numbers in between.
            match between [ 1.0; 2.0; 5.0 ] with
            | values when values.Length >= 2 ->
                values |> Array.map (fun value -> { Value = value; Label = Labels.short value }), [||]
            | _ -> linearTicks 5 (Math.Pow(10.0, low)) (Math.Pow(10.0, high)), [||]
        else
            let ticks =
                exponents |> Array.map (fun exponent -> { Value = tenTo exponent; Label = decadeLabel plain exponent })

            ticks, (if stride = 1 then between [ 2.0 .. 9.0 ] else [||])

    let private symmetricTicks (threshold: float) (low: float) (high: float) =
        // The threshold is too near to 0 to be labelled.
        let first = Labels.magnitude threshold + 1

        let side bound =
            if bound > 10.0 * threshold then
                fst (decades (float first) (log10 bound)) |> Array.map tenTo
            else
                [||]

        let negative = side -low |> Array.map (fun value -> -value) |> Array.rev
        let zero = if low <= 0.0 && high >= 0.0 then [| 0.0 |] else [||]
        let values = Array.concat [ negative; zero; side high ]

        if values.Length < 2 then
            linearTicks 6 low high
        else
            let label value =
                if value = 0.0 then
                    "0"
                else
                    let sign = if value < 0.0 then "−" else ""
                    let exponent = Labels.magnitude value
                    sign + decadeLabel (abs exponent <= 3) exponent

            values |> Array.map (fun value -> { Value = value; Label = label value })

    /// A range that holds the numbers and is not empty.
    let private extent (values: float[]) =
        let low, high = Array.min values, Array.max values

        if high - low > max least (1e-9 * max (abs low) (abs high)) then
            struct (low, high)
        else
            let room = if abs low < least then 1.0 else 0.1 * abs low
            struct (low - room, high + room)

    /// The range of an axis, with some room around the data where the axis has no fixed range.
    let private fit (axis: Axis) room (forward: float -> float) (values: float[]) =
        match axis.Range with
        | ValueSome(struct (low, high)) -> struct (forward low, forward high)
        | ValueNone when values.Length = 0 -> struct (0.0, 1.0)
        | ValueNone ->
            let struct (low, high) = extent (values |> Array.map forward)
            let room = room * (high - low)
            struct (low - room, high + room)

    let private placing forward (struct (low, high)) =
        fun value ->
            (forward (Math.Clamp(value, -greatest, greatest)) - low) / (high - low) |> fun x -> Math.Clamp(x, -1.0, 2.0)

    let private ofNumbers axis room values forward backward ticks =
        let values = values |> Array.map (fun value -> Math.Clamp(value, -greatest, greatest))
        let struct (low, high) = fit axis room forward values
        let finite x = Math.Clamp(backward x, -greatest, greatest)
        let major, minor = ticks (finite low) (finite high)
        { Place = placing forward (struct (low, high)); Ticks = major; Minor = minor }

    /// The scale of an axis for the finite ones among some numbers, with a share of its length as room at both ends.
    let create (axis: Axis) (room: float) (count: int) (values: float seq) : Scale =
        let finite = values |> Seq.filter Double.IsFinite |> Seq.toArray

        match axis.Kind with
        | Linear -> ofNumbers axis room finite id id (fun low high -> linearTicks count low high, [||])
        | Logarithmic ->
            let logarithm value = log10 (max 1e-300 value)
            let positive = finite |> Array.filter (fun value -> value > 0.0)
            let ticks low high = logarithmicTicks (logarithm low) (logarithm high)
            ofNumbers axis room positive logarithm (fun x -> Math.Pow(10.0, x)) ticks
        | SymmetricLogarithmic threshold ->
            // `sign` refuses NaN, which a level may be.
            let forward value = Math.CopySign(log10 (1.0 + abs value / threshold), value)
            let backward x = Math.CopySign(threshold * (Math.Pow(10.0, abs x) - 1.0), x)
            ofNumbers axis room finite forward backward (fun low high -> symmetricTicks threshold low high, [||])
        | Categories names ->
            let place value = Math.Clamp((value + 0.5) / float (max 1 names.Length), -1.0, 2.0)
            let ticks = names |> Array.mapi (fun i name -> { Value = float i; Label = name })
            { Place = place; Ticks = ticks; Minor = [||] }
