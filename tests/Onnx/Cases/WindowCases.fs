/// Convolutions and pools of signals and images.
module Curvature.Tests.Onnx.WindowCases

open System

/// What says how windows move along one or two axes.
type private Geometry =
    {
        Kernel: int list
        Lengths: int list
        Attributes: (string * NodeAttribute) list
    }

let private automatic = [ "SAME_UPPER"; "SAME_LOWER"; "VALID" ]

/// A geometry for an operator: whether it has dilations, and how many zeros it may have on a side.
let private geometry (random: Random) (hasDilations: bool) (mostPads: int -> int) : Geometry =
    let axes = random.Next(1, 3)
    let kernel = List.init axes (fun _ -> random.Next(1, 4))
    let dilations = kernel |> List.map (fun _ -> if hasDilations && random.Next 2 = 0 then 2 else 1)
    let strides = kernel |> List.map (fun _ -> random.Next(1, 4))
    let lengths = List.map2 (fun length dilation -> (length - 1) * dilation + 1 + random.Next 6) kernel dilations
    let isAutomatic = random.Next 3 = 0

    let pads =
        [
            for _ in 0..1 do
                for length in kernel -> random.Next(mostPads length + 1)
        ]

    {
        Kernel = kernel
        Lengths = lengths
        Attributes =
            [
                if isAutomatic then "auto_pad", Text(Draw.pick random automatic)
                elif random.Next 2 = 0 then "pads", Ints pads

                "strides", Ints strides
                if hasDilations && List.exists ((<>) 1) dilations then
                    "dilations", Ints dilations
            ]
    }

let private convolution: Case =
    Case.any "Conv" (fun random ->
        let g = geometry random true (fun _ -> 2)
        let groups = Draw.pick random [ 1; 1; 2; 3 ]
        let channels, filters = groups * random.Next(1, 3), groups * random.Next(1, 3)
        let x = Draw.fed random ([ random.Next(1, 3); channels ] @ g.Lengths)
        let w = Draw.weight random ([ filters; channels / groups ] @ g.Kernel)
        let bias = maybe random (Draw.weight random [ filters ])
        let groupsOf = if groups = 1 then [] else [ "group", Int(int64 groups) ]
        let kernel = maybe random ("kernel_shape", Ints g.Kernel)
        one (g.Attributes @ groupsOf @ kernel) ([ x; w ] @ bias))

let private transposed: Case =
    Case.any "ConvTranspose" (fun random ->
        let axes = random.Next(1, 3)
        let kernel = List.init axes (fun _ -> random.Next(2, 4))
        let strides = kernel |> List.map (fun _ -> random.Next(1, 4))
        let dilations = kernel |> List.map (fun _ -> random.Next(1, 3))
        let lengths = kernel |> List.map (fun _ -> random.Next(3, 6))
        let groups = Draw.pick random [ 1; 1; 2 ]
        let channels, filters = groups * random.Next(1, 3), random.Next(1, 3)
        let extra = List.map2 (fun stride dilation -> random.Next(max stride dilation)) strides dilations

        let span = List.map2 (fun length dilation -> (length - 1) * dilation + 1) kernel dilations

        let whole = List.map3 (fun length stride span -> (length - 1) * stride + span) lengths strides span

        let shape =
            match random.Next 4 with
            | 0 -> [ "pads", Ints(List.replicate (2 * axes) 1); "output_padding", Ints extra ]
            | 1 -> [ "output_shape", Ints(whole |> List.map (fun length -> max 1 (length - random.Next 3))) ]
            | 2 -> [ "auto_pad", Text "VALID" ]
            | _ -> maybe random ("output_padding", Ints extra)

        let attributes =
            [
                yield! shape
                "strides", Ints strides
                "dilations", Ints dilations
                if groups > 1 then "group", Int(int64 groups)
                "kernel_shape", Ints kernel
            ]

        let x = Draw.fed random ([ random.Next(1, 3); channels ] @ lengths)
        let w = Draw.weight random ([ channels; filters ] @ kernel)
        one attributes ([ x; w ] @ maybe random (Draw.weight random [ filters * groups ])))

/// Half of a window may lie outside.
let private half length = length / 2

/// OnnxRuntime counts windows of SAME as if their elements were neighbours, so that these have no dilations.
let private pool (random: Random) (mayHaveDilations: bool) (mostPads: int -> int) : Geometry =
    let isDilated = mayHaveDilations && random.Next 2 = 0
    let drawn = geometry random isDilated mostPads

    if isDilated then
        { drawn with
            Attributes = drawn.Attributes |> List.filter (fun (name, _) -> name <> "auto_pad")
        }
    else
        drawn

/// More than half of a window may lie outside, but not where their number is rounded up.
let private maximum: Case =
    Case.make "MaxPool" (fun opset random ->
        let isRounded = opset >= 10 && random.Next 3 = 0
        let g = pool random (opset >= 10) (if isRounded then half else fun length -> length - 1)
        let ceil = if isRounded then [ "ceil_mode", Int 1L ] else []
        let x = Draw.fed random ([ random.Next(1, 3); random.Next(1, 3) ] @ g.Lengths)
        one (g.Attributes @ ceil @ [ "kernel_shape", Ints g.Kernel ]) [ x ])

let private average: Case =
    Case.make "AveragePool" (fun opset random ->
        let g = pool random (opset >= 19) half
        let ceil = if opset >= 10 then Draw.flag random "ceil_mode" else []
        let x = Draw.fed random ([ random.Next(1, 3); random.Next(1, 3) ] @ g.Lengths)
        let counts = Draw.flag random "count_include_pad"
        one (g.Attributes @ ceil @ counts @ [ "kernel_shape", Ints g.Kernel ]) [ x ])

let private globalPool (op: string) : Case =
    Case.any op (fun random ->
        let lengths = List.init (random.Next(1, 4)) (fun _ -> random.Next(1, 5))
        one [] [ Draw.fed random ([ random.Next(1, 3); random.Next(1, 4) ] @ lengths) ])

let cases: Case list =
    [
        convolution |> Case.slack 5.0
        transposed |> Case.slack 5.0
        maximum
        average
        globalPool "GlobalAveragePool"
        globalPool "GlobalMaxPool"
    ]
