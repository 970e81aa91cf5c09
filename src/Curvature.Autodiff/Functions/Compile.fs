namespace Curvature.FSharp

open System
open System.Collections.Concurrent
open Curvature

/// Functions turned into plans: recorded once for each shape, optimised, and run many times.
[<RequireQualifiedAccess>]
module Compile =

    let private arrayOf name (t: Tensor) =
        if not (isNull t.Owner) then
            Fail.differentiation
                $"{name}: a compiled function takes arrays; inside another transformation use the function itself"

        t.Storage.Dense t.DType

    let private oneDevice name (inputs: Tensor[]) =
        for t in inputs do
            if not (obj.ReferenceEquals(t.Device, inputs[0].Device)) then
                Fail.device (
                    $"{name}: arguments live on different devices, {inputs[0].Device.Name} and {t.Device.Name}; "
                    + $"move one of them by toDevice"
                )

        inputs[0].Device

    /// The function as one plan for each combination of input shapes. It is recorded from shapes alone, so it may not
    /// ask for values.
    let internal functionOf (f: Tensor[] -> Tensor[]) : (Tensor[] -> Tensor[]) * IDisposable =
        let plans = ConcurrentDictionary<struct (Kernels.Device * string), BoundPlan>()

        let memory = new HeldMemory()

        let run (inputs: Tensor[]) =
            let device = oneDevice "compile" inputs
            let signatures = inputs |> Array.map _.Signature
            let name = System.String.Join("; ", signatures |> Array.map _.Text)

            let plan =
                plans.GetOrAdd(
                    struct (device, name),
                    fun _ ->
                        let program =
                            Staging.stage device signatures f |> Simplify.run (Array.create inputs.Length true)

                        memory.Hold(new BoundPlan(Plan(program, 0), [||], [||], true))
                )

            plan.Run(inputs |> Array.map (arrayOf "compile")) |> Array.map Tensor.OfStorage

        run, memory

    /// The same function, compiled as by `func`, and what gives the memory of its plans back: after that it cannot be
    /// applied.
    let internal disposableFunc (f: Tensor -> Tensor) : (Tensor -> Tensor) * IDisposable =
        let compiled, memory = functionOf (fun inputs -> [| f inputs[0] |])
        (fun x -> (compiled [| x |])[0]), memory

    /// The same function, compiled: traced once for each shape of its argument, then run as a list of kernels. It may
    /// not ask for values of tensors (raises DifferentiationException at the first call), and is not differentiable
    /// itself.
    let func (f: Tensor -> Tensor) : Tensor -> Tensor = fst (disposableFunc f)

    /// The same function of several tensors, with several results, compiled.
    let funcs (f: Tensor list -> Tensor list) : Tensor list -> Tensor list =
        let compiled, _ = functionOf (List.ofArray >> f >> List.toArray)
        fun xs -> compiled (List.toArray xs) |> List.ofArray

    /// A family's plans for one shape of its point: the slow part, run for each point, and the fast part, bound to what
    /// it gives.
    [<NoEquality; NoComparison>]
    type private Template = { Slow: BoundPlan; SlowOutputs: int; Fast: Plan }

    /// Records values and map with the points unknown, so that new ones run the same plans.
    let private recordWithPoints (device: Kernels.Device) (points: Signature[]) (vector: Signature) f : Template =
        let mutable count = 0

        let program =
            Staging.stage device (Array.append points [| vector |]) (fun inputs ->
                let values, g = f inputs[.. points.Length - 1]
                count <- List.length values
                [| yield! values; yield g inputs[points.Length] |])
            |> Simplify.run (Array.append (Array.create points.Length false) [| true |])

        let parts = Partition.cut points.Length count program |> Retention.reduce Retention.least

        {
            Slow = new BoundPlan(Plan(parts.Slow, 0), [||], [||], false)
            SlowOutputs = count
            Fast = Plan(parts.Fast, parts.Fast.Inputs - 1)
        }

    let private bindTemplate (template: Template) (vector: Signature) (device: Kernels.Device) (points: Storage[]) =
        BoundMemories.Of(device).GiveBackDropped(template.Fast.BindingBytes points.Length)
        let results = template.Slow.Run points
        let values = results[.. template.SlowOutputs - 1] |> Array.map Tensor.OfStorage |> List.ofArray
        let residuals = results[template.SlowOutputs ..]

        let plan = new BoundPlan(template.Fast, Array.append points residuals, residuals, true)
        new CompiledMap(values, vector, device, plan)

    /// Records the map at known points: functions that look at values need this.
    let private recordAtPoints (points: Tensor[]) (vector: Signature) f =
        let device = points[0].Device
        // The number of bytes is not known yet, and recording takes longer than any collection.
        BoundMemories.Of(device).GiveBackDropped Int64.MaxValue
        let values, g = f points

        let program = Staging.stage device [| vector |] (fun inputs -> [| g inputs[0] |]) |> Simplify.run [| true |]

        new CompiledMap(values, vector, device, new BoundPlan(Plan(program, 0), [||], [||], true))

    /// A family of maps of vectors in the shape of the first of several points; see `family`.
    let internal familyOf (f: Tensor[] -> Tensor list * (Tensor -> Tensor)) : Tensor[] -> CompiledMap =
        let templates = ConcurrentDictionary<struct (Kernels.Device * string), Template option>()

        fun points ->
            let device, signatures = oneDevice "compile" points, points |> Array.map _.Signature
            let vector = signatures[0]

            let template =
                templates.GetOrAdd(
                    struct (device, System.String.Join("; ", signatures |> Array.map _.Text)),
                    fun _ ->
                        try
                            Some(recordWithPoints device signatures vector f)
                        with :? AbstractValueException ->
                            None
                )

            match template with
            | Some template -> points |> Array.map (arrayOf "compile") |> bindTemplate template vector device
            | None -> recordAtPoints points vector f

    /// A map for every point θ. The function is given θ, and returns values that depend on θ alone and a function g of
    /// vectors v in the shape of θ. Work that does not depend on v is done once for each θ, and plans are made once for
    /// each shape: moving to another θ runs them again. A function that asks for values of tensors on its way is
    /// recorded anew at each θ.
    let family (f: Tensor -> Tensor list * (Tensor -> Tensor)) : Tensor -> CompiledMap =
        let maps = familyOf (fun points -> f points[0])
        fun theta -> maps [| theta |]

    /// The same linear map by a shorter program: without repeated equations and needless moves and arithmetic.
    let simplify (program: LinearProgram) : LinearProgram = LinearProgram(Simplify.linear program.Program)

    /// A linear program as a plan, for many applications. Raises DifferentiationException for a program made inside
    /// another transformation, whose coefficients are not known.
    let program (program: LinearProgram) : CompiledMap =
        let isTraced atom =
            match atom with
            | Constant t -> not (isNull t.Owner)
            | Variable _ -> false

        if
            program.Program.Equations |> Array.exists (fun equation -> equation.Operands |> Array.exists isTraced)
            || program.Program.Outputs |> Array.exists isTraced
        then
            Fail.differentiation
                "compile: the program was made inside another transformation, and its coefficients are not known"

        let simplified = Simplify.run [| true |] program.Program
        let plan = new BoundPlan(Plan(simplified, 0), [||], [||], true)
        new CompiledMap([], simplified.Variables[0], simplified.Device, plan)
