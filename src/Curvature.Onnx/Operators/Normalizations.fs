namespace Curvature.OnnxFormat

open Curvature
open Curvature.FSharp

/// Normalisations, as they are in inference.
[<RequireQualifiedAccess>]
module internal Normalizations =

    let private epsilon (call: Call) : float = call.Node.Float("epsilon", 1e-5)

    /// A number for each channel, which is axis 1.
    let private perChannel (x: Tensor) (t: Tensor) : Tensor = Windows.perChannel (x.Rank - 2) t

    let private batch (call: Call) : Value list =
        let factor = call.Tensor 1 * Tensor.rsqrt (call.Tensor 4 + epsilon call)
        let offset = call.Tensor 2 - call.Tensor 3 * factor

        match call.Input 0 with
        | Value.Images(_, x) -> call.ImageResult(x * factor + offset)
        | _ ->
            let x = call.Tensor 0
            call.Result(x * perChannel x factor + perChannel x offset)

    /// The axes from the one of the node to the last.
    let private trailing (call: Call) (x: Tensor) : int list =
        [ call.Axis(x.Rank, call.Node.Int("axis", -1L)) .. x.Rank - 1 ]

    let private shifted (call: Call) (bias: int) (y: Tensor) : Value list =
        match call.TryTensor bias with
        | ValueSome bias -> call.Result(y + bias)
        | ValueNone -> call.Result y

    let private layer (call: Call) : Value list =
        let x = call.Tensor 0
        shifted call 2 (Normalization.overAxes (epsilon call) (trailing call x) x * call.Tensor 1)

    let private rms (call: Call) : Value list =
        let x = call.Tensor 0
        call.Result(Normalization.rmsOverAxes (epsilon call) (trailing call x) x * call.Tensor 1)

    let private scaled (call: Call) (x: Tensor) (y: Tensor) : Value list =
        call.Result(y * perChannel x (call.Tensor 1) + perChannel x (call.Tensor 2))

    let private instance (call: Call) : Value list =
        let x = call.Tensor 0

        if x.Rank < 3 then
            call.Fail $"an input of shape {Shape.show x.Shape} has no axes behind its channels"

        scaled call x (Normalization.overAxes (epsilon call) [ 2 .. x.Rank - 1 ] x)

    /// Before version 21 there was a weight for each group, and not for each channel.
    let private group (call: Call) : Value list =
        let x = call.Tensor 0
        let groups = call.Small("attribute num_groups", call.Node.Int("num_groups", 1L))
        let normalized = Normalization.overGroups (epsilon call) groups 1 x

        if call.Opset < 21 then
            let each = x.Shape[1] / groups

            let repeated (t: Tensor) =
                t |> Tensor.unsqueeze 1 |> Tensor.broadcastTo [ groups; each ] |> Tensor.flatten |> perChannel x

            call.Result(normalized * repeated (call.Tensor 1) + repeated (call.Tensor 2))
        else
            scaled call x normalized

    /// x/‖x‖ over an axis; 0 where all elements are 0.
    let private lp (call: Call) : Value list =
        let x = call.Tensor 0
        let axis = call.Axis(x.Rank, call.Node.Int("axis", -1L))

        let length =
            if call.Node.Int("p", 2L) = 1L then
                Tensor.sumAxes [ axis ] (Tensor.abs x)
            else
                let rows = TensorReductions.mergeLast "normalize" [ axis ] x
                Tensor.Of(Norm(rows.Rank - 1), rows)

        let divisor = Tensor.where (Tensor.equal length 0.0) 1.0 length
        call.Result(x / Tensor.unsqueeze axis divisor)

    let private refuseTraining (node: Node) =
        if node.Flag("training_mode", false) then
            ValueSome "is in training mode, in which it depends on the batch; export the model for inference"
        elif not (node.Flag("spatial", true)) then
            ValueSome "has spatial 0, which is not supported"
        else
            ValueNone

    let private batchOf attributes =
        Operator.make "BatchNormalization" (5, 5) ("epsilon:float momentum:float" + attributes) batch
        |> Operator.settings [ 3; 4 ]
        |> Operator.takingImages
        |> Operator.refusing refuseTraining

    let operators: Operator list =
        [
            batchOf " spatial:int" |> Operator.until 8
            batchOf "" |> Operator.since 9 |> Operator.until 13
            batchOf " training_mode:int" |> Operator.since 14
            Operator.make "LayerNormalization" (2, 3) "axis:int epsilon:float stash_type:int" layer |> Operator.since 17
            Operator.make "RMSNormalization" (2, 2) "axis:int epsilon:float stash_type:int" rms |> Operator.since 23
            Operator.make "InstanceNormalization" (3, 3) "epsilon:float" instance
            Operator.make "GroupNormalization" (3, 3) "epsilon:float num_groups:int stash_type:int" group
            |> Operator.since 18
            Operator.make "LpNormalization" (1, 1) "axis:int p:int" lp
        ]
