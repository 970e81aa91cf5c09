namespace Curvature.FSharp

open Curvature

/// Questions to risks in messages.
module internal QuestionCodec =

    let private writeMatrix (out: WireWriter) (matrix: RiskMatrix) =
        match matrix with
        | RiskMatrix.Hessian -> out.Byte 0
        | RiskMatrix.GaussNewton -> out.Byte 1
        | RiskMatrix.ExactFisher(name, variance) ->
            out.Byte 2
            out.Text name
            out.Float variance
        | RiskMatrix.DrawnFisher(name, variance, draws, key) ->
            out.Byte 3
            out.Text name
            out.Float variance
            out.Int draws
            DrawnBlock.writeKey out key

    let private readMatrix (input: WireReader) : RiskMatrix =
        match input.Byte() with
        | 0 -> RiskMatrix.Hessian
        | 1 -> RiskMatrix.GaussNewton
        | 2 ->
            let name = input.Text()
            RiskMatrix.ExactFisher(name, input.Float())
        | 3 ->
            let name = input.Text()
            let variance = input.Float()
            let draws = input.Int()
            RiskMatrix.DrawnFisher(name, variance, draws, DrawnBlock.readKey input)
        | other -> ClusterFail.cluster $"a message has a matrix number {other}"

    /// About how many bytes a question takes: at least those of its largest tensors.
    let bytes (question: RiskQuestion) : int64 =
        match question with
        | RiskQuestion.Products(_, block)
        | RiskQuestion.Forms(_, block)
        | RiskQuestion.BlockForms(_, block, _)
        | RiskQuestion.FormsByBatch(_, block) when (DrawnVectors.tryFind block).IsNone -> TensorCodec.bytes block
        | RiskQuestion.LossGrid grid -> grid.Directions |> List.sumBy (fun (_, vector) -> TensorCodec.bytes vector)
        | RiskQuestion.LossesAt points -> points |> Array.sumBy TensorCodec.bytes
        | _ -> 0L

    let private writeOf (out: WireWriter) number matrix block =
        out.Byte number
        writeMatrix out matrix
        DrawnBlock.write out block

    let write (out: WireWriter) (question: RiskQuestion) =
        match question with
        | RiskQuestion.Loss -> out.Byte 0
        | RiskQuestion.LossGradient isCompiled ->
            out.Byte 1
            out.Bool isCompiled
        | RiskQuestion.Point matrix ->
            out.Byte 2
            writeMatrix out matrix
        | RiskQuestion.Products(matrix, block) -> writeOf out 3 matrix block
        | RiskQuestion.Forms(matrix, block) -> writeOf out 4 matrix block
        | RiskQuestion.BlockForms(matrix, block, ranges) ->
            writeOf out 5 matrix block

            out.List(
                ranges,
                fun (struct (first, count)) ->
                    out.Int first
                    out.Int count
            )
        | RiskQuestion.FormsByBatch(matrix, block) -> writeOf out 6 matrix block
        | RiskQuestion.LossGrid grid ->
            out.Byte 7

            out.List(
                grid.Directions,
                fun (name, vector) ->
                    out.Text name
                    TensorCodec.write out vector
            )

            out.List(grid.Steps, out.Floats)
            out.Bool grid.NeedsHessian
            out.Bool grid.KeepsNonFinite
        | RiskQuestion.LossesAt points ->
            out.Byte 8
            out.List(points, TensorCodec.write out)

    let private readOf (input: WireReader) =
        let matrix = readMatrix input
        struct (matrix, DrawnBlock.read input)

    let read (input: WireReader) : RiskQuestion =
        match input.Byte() with
        | 0 -> RiskQuestion.Loss
        | 1 -> RiskQuestion.LossGradient(input.Bool())
        | 2 -> RiskQuestion.Point(readMatrix input)
        | 3 ->
            let struct (matrix, block) = readOf input
            RiskQuestion.Products(matrix, block)
        | 4 ->
            let struct (matrix, block) = readOf input
            RiskQuestion.Forms(matrix, block)
        | 5 ->
            let struct (matrix, block) = readOf input

            let range () : ParameterRange =
                let first = input.Int()
                struct (first, input.Int())

            RiskQuestion.BlockForms(matrix, block, input.List(8, range))
        | 6 ->
            let struct (matrix, block) = readOf input
            RiskQuestion.FormsByBatch(matrix, block)
        | 7 ->
            let direction () =
                let name = input.Text()
                name, TensorCodec.read input

            let directions = input.List(6, direction) |> List.ofArray
            let steps = input.List(4, input.Floats)
            let needsHessian = input.Bool()

            RiskQuestion.LossGrid
                {
                    Directions = directions
                    Steps = steps
                    NeedsHessian = needsHessian
                    KeepsNonFinite = input.Bool()
                }
        | 8 -> RiskQuestion.LossesAt(input.List(2, (fun () -> TensorCodec.read input)))
        | other -> ClusterFail.cluster $"a message has a question number {other}"
