namespace Curvature

open Curvature.Kernels

/// Which positions of an axis meet in a convolution or in a pool.
module internal WindowPairs =

    /// All (input, filter, output) that meet: output o reads input o·stride + k·dilation − before by filter element k.
    let private triples (axis: WindowAxis) : struct (int * int * int)[] =
        [|
            for output in 0 .. axis.Output - 1 do
                for k in 0 .. axis.Kernel - 1 do
                    let input = int64 output * int64 axis.Stride + int64 k * int64 axis.Dilation - int64 axis.Before

                    if input >= 0L && input < int64 axis.Input then struct (int input, k, output)
        |]

    let private pick (role: ConvolutionRole) (struct (input, k, output)) =
        match role with
        | ConvolutionRole.Input -> input
        | ConvolutionRole.Filters -> k
        | _ -> output

    let private length (axis: WindowAxis) (role: ConvolutionRole) =
        match role with
        | ConvolutionRole.Input -> axis.Input
        | ConvolutionRole.Filters -> axis.Kernel
        | _ -> axis.Output

    /// For each position of the result, the pairs of positions of the two others that meet there.
    let by (axis: WindowAxis) (result: ConvolutionRole) (first: ConvolutionRole) (second: ConvolutionRole) =
        let lists = Array.init (length axis result) (fun _ -> ResizeArray<struct (int * int)>())

        for triple in triples axis do
            lists[pick result triple].Add(struct (pick first triple, pick second triple))

        lists |> Array.map _.ToArray()

    /// For each output, the inputs that it reads, and the elements of the window that they are.
    let byOutput (axis: WindowAxis) = by axis ConvolutionRole.Output ConvolutionRole.Input ConvolutionRole.Filters

/// Which elements meet in a convolution.
module internal ConvolutionPairs =

    /// Calls a receiver with each element of the result, and those of the two operands that meet in it. Nothing for
    /// more of them than a limit.
    let walk (convolve: Convolve) (operands: int[][]) (result: int[]) (limit: int64) =
        let single (shape: int[]) = if shape.Length = 5 then Array.tail shape else shape
        let shapes = Array.append [| result |] operands
        let roles = Array.append [| convolve.Result |] convolve.Roles
        let find role = single shapes[System.Array.IndexOf(roles, role)]
        let input, filters = find ConvolutionRole.Input, find ConvolutionRole.Filters
        let images, channels, outputs = input[0], filters[2], filters[3] / convolve.Groups
        let down = WindowPairs.by convolve.Height roles[0] roles[1] roles[2]
        let across = WindowPairs.by convolve.Width roles[0] roles[1] roles[2]
        let repeats = shapes |> Array.fold (fun n shape -> if shape.Length = 5 then shape[0] else n) 1
        let count lists = lists |> Array.sumBy (fun (pairs: _[]) -> int64 pairs.Length)

        let size =
            [ repeats; images; convolve.Groups; channels; outputs ]
            |> List.fold (fun size length -> size * int64 length) (count down * count across)

        /// The element of one of the arrays.
        let place role repeat (struct (image, y, x, channel, filter)) =
            let shape = shapes[role]
            let s = single shape

            let at =
                if roles[role] = ConvolutionRole.Filters then
                    ((y * s[1] + x) * s[2] + channel % channels) * s[3] + filter
                else
                    let last = if roles[role] = ConvolutionRole.Input then channel else filter
                    ((image * s[1] + y) * s[2] + x) * s[3] + last

            if shape.Length = 5 then at + repeat * Shape.size s else at

        if size > limit then
            ValueNone
        else
            ValueSome(fun (receive: struct (int * int * int) -> unit) ->
                for repeat in 0 .. repeats - 1 do
                    for image in 0 .. images - 1 do
                        for y in 0 .. down.Length - 1 do
                            for x in 0 .. across.Length - 1 do
                                for struct (y1, y2) in down[y] do
                                    for struct (x1, x2) in across[x] do
                                        for channel in 0 .. channels * convolve.Groups - 1 do
                                            let group = channel / channels

                                            for filter in group * outputs .. (group + 1) * outputs - 1 do
                                                let into = place 0 repeat (struct (image, y, x, channel, filter))
                                                let first = place 1 repeat (struct (image, y1, x1, channel, filter))
                                                let second = place 2 repeat (struct (image, y2, x2, channel, filter))
                                                receive (struct (into, first, second)))
