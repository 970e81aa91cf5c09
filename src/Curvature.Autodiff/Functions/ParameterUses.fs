namespace Curvature

open System.Collections.Generic
open Curvature.FSharp

/// Weights that multiply inputs at each position of each sample: y = Σᵢ aᵢ wᵢₒ, in each group.
[<NoEquality; NoComparison>]
type internal WeightUse =
    {
        /// [groups; inputs; outputs]: 1 + the places of the weights. A bias is the last row of the inputs.
        Places: Tensor
        /// a, [samples; positions; groups; inputs], with a column of ones for a bias.
        Inputs: unit -> Tensor
    }

/// How parameters enter a linear program.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal UseKind =
    | Weights of WeightUse
    /// Rows of a table: its places [rows; outputs], and the Int32 row at each position, [samples; positions].
    | Rows of places: Tensor * index: Tensor
    /// The elements themselves, each times a number: places and numbers [samples; elements].
    | Elements of places: Tensor * coefficient: Tensor

/// A use of parameters, and what brings cotangents of the variable that it makes, [k; …], into the order [k; samples;
/// positions; groups; outputs], or [k; samples; elements] for elements.
[<NoEquality; NoComparison>]
type internal ParameterUse = { Kind: UseKind; Order: Tensor -> Tensor }

/// The derivative of a model by its parameters, taken apart: all ways in which these enter it.
[<NoEquality; NoComparison>]
type internal ParameterUses =
    {
        /// The outputs of the model, [samples; …].
        Outputs: Tensor
        /// Tangents of the parameters to tangents of the outputs.
        Program: Program
        Uses: ParameterUse[]
        /// 1 + the places of parameters that enter in another way, or whose variables do not fall into samples.
        Others: Tensor[]
        /// Cotangents of the variables of the uses from cotangents of the outputs [k; samples; …].
        Pull: Tensor -> Tensor[]
    }

/// A linear program in θ is walked forward. Variables that are views of θ are followed; whatever else takes a view is a
/// use of parameters. Nothing depends on θ but through uses, so that the program from the variables of the uses to the
/// outputs needs no θ.
module internal ParameterUses =

    /// The axes of a variable by what they count.
    [<NoEquality; NoComparison>]
    type private UseAxes =
        {
            Positions: int list
            Groups: int list
            Outputs: int list
        }

    /// A use before it is known which axis of its variable counts samples.
    [<NoEquality; NoComparison>]
    type private Candidate =
        {
            Variable: int
            /// The equation, for a use that is not the view itself.
            Equation: int voption
            Axes: UseAxes
            Places: Tensor
            /// The use when the positions are in this order, the samples first.
            Finish: int list -> UseKind
        }

    /// The variables of uses, and the rest of the program.
    [<NoEquality; NoComparison>]
    type private Parts =
        {
            Candidates: Candidate list
            Views: Dictionary<int, ParameterView>
            /// The equations that neither make views nor are uses.
            Kept: Equation[]
        }

    let private lengths (program: Program) id (axes: int list) =
        axes |> List.map (fun axis -> program.Variables[id].Shape[axis])

    let private product = List.fold (*) 1

    /// t, with axes of its own in front, in the order of positions, groups and outputs.
    let private arrange (leading: int) (axes: int list) (shape: int list) (t: Tensor) : Tensor =
        let order = [ 0 .. leading - 1 ] @ (axes |> List.map ((+) leading))
        let front = List.init leading (fun axis -> t.Signature.Shape[axis])
        t |> Tensor.permute order |> Tensor.reshape (front @ shape)

    // ---- weights

    let private axesOf (labels: int[]) (wanted: int list) =
        wanted |> List.map (fun label -> System.Array.IndexOf(labels, label))

    /// A contraction of a constant with a view.
    let private ofContraction samples (program: Program) number (einsum: Einsum) (a: Tensor) aFirst (view: ParameterView) scale =
        let ofA, ofW = if aFirst then einsum.Left, einsum.Right else einsum.Right, einsum.Left
        let has (labels: int[]) label = Array.contains label labels
        let result = List.ofArray einsum.Result
        let positions = result |> List.filter (has ofW >> not)
        let groups = result |> List.filter (fun label -> has ofA label && has ofW label)
        let outputs = result |> List.filter (has ofA >> not)
        let inputs = List.ofArray ofA |> List.filter (has einsum.Result >> not)
        let variable = program.Equations[number].Results[0]
        let length label = a.Signature.Shape[System.Array.IndexOf(ofA, label)]
        let count labels = labels |> List.map length |> product
        let axes = { Positions = axesOf einsum.Result positions; Groups = axesOf einsum.Result groups; Outputs = axesOf einsum.Result outputs }
        let width = product (lengths program variable axes.Outputs)

        let places =
            view.Places |> arrange 0 (axesOf ofW (groups @ inputs @ outputs)) [ count groups; count inputs; width ]

        let finish (ordered: int list) =
            let labels = ordered |> List.map (fun axis -> einsum.Result[axis])

            let rows () =
                let shape = [ samples; count positions / samples; count groups; count inputs ]
                let rows = arrange 0 (axesOf ofA (labels @ groups @ inputs)) shape a
                if scale = 1.0 then rows else scale * rows

            UseKind.Weights { Places = places; Inputs = rows }

        {
            Variable = variable
            Equation = ValueSome number
            Axes = axes
            Places = places
            Finish = finish
        }

    /// Patches of images [N; H; W; C] under each element of a window: [N; H′; W′; groups; KH·KW·C/groups].
    let private patches (convolve: Convolve) (images: Tensor) : Tensor =
        let height, width = convolve.Height, convolve.Width
        let channels = images.Signature.Shape[3]

        let padded =
            images
            |> Tensor.pad 1 height.Before height.After
            |> Tensor.pad 2 width.Before width.After

        [
            for row in 0 .. height.Kernel - 1 do
                for column in 0 .. width.Kernel - 1 ->
                    padded
                    |> Tensor.sliceStep 1 (row * height.Dilation) height.Output height.Stride
                    |> Tensor.sliceStep 2 (column * width.Dilation) width.Output width.Stride
                    |> Tensor.reshape
                        [
                            images.Signature.Shape[0]
                            height.Output
                            width.Output
                            convolve.Groups
                            channels / convolve.Groups
                        ]
        ]
        |> Tensor.stack 4
        |> fun t -> Tensor.reshape [ t.Shape[0]; t.Shape[1]; t.Shape[2]; t.Shape[3]; t.Shape[4] * t.Shape[5] ] t

    /// A convolution of constant images with a view as filters [KH; KW; C / groups; K].
    let private ofConvolution samples (program: Program) number (convolve: Convolve) (images: Tensor) (view: ParameterView) scale =
        let variable = program.Equations[number].Results[0]
        let filters = view.Places.Signature.Shape
        let groups, inputs = convolve.Groups, filters[0] * filters[1] * filters[2]

        let places =
            view.Places
            |> Tensor.reshape [ inputs; groups; filters[3] / groups ]
            |> Tensor.permute [ 1; 0; 2 ]

        let finish (ordered: int list) =
            let rows () =
                let rows = patches convolve images |> arrange 0 (ordered @ [ 3; 4 ]) [ samples; -1; groups; inputs ]
                if scale = 1.0 then rows else scale * rows

            UseKind.Weights { Places = places; Inputs = rows }

        {
            Variable = variable
            Equation = ValueSome number
            // The filters of all groups lie one behind the other in one axis.
            Axes = { Positions = [ 0; 1; 2 ]; Groups = []; Outputs = [ 3 ] }
            Places = places
            Finish = finish
        }

    // ---- tables and elements

    /// Rows of a view by an index that is constant.
    let private ofGather samples (program: Program) number (index: Tensor) (view: ParameterView) =
        let table = view.Places.Signature.Shape
        let rank = index.Rank
        let places = Tensor.reshape [ table[0]; -1 ] view.Places
        let variable = program.Equations[number].Results[0]

        {
            Variable = variable
            Equation = ValueSome number
            Axes =
                {
                    Positions = [ 0 .. rank - 1 ]
                    Groups = []
                    Outputs = [ rank .. program.Variables[variable].Shape.Length - 1 ]
                }
            Places = places
            Finish =
                fun ordered ->
                    UseKind.Rows(places, arrange 0 ordered [ samples; index.Size / samples ] index)
        }

    /// The view itself.
    let private ofElements samples (program: Program) id (view: ParameterView) =
        let rank = view.Places.Rank

        {
            Variable = id
            Equation = ValueNone
            Axes = { Positions = [ 0 .. rank - 1 ]; Groups = []; Outputs = [] }
            Places = view.Places
            Finish =
                fun ordered ->
                    let arrange = arrange 0 ordered [ samples; view.Places.Size / samples ]
                    UseKind.Elements(arrange view.Places, arrange (ParameterViews.coefficient program id view))
        }

    // ---- walking the program

    /// Whether an equation multiplies a view by a constant in a way that is known, other than elementwise.
    let private multiplied samples (program: Program) (views: Dictionary<int, ParameterView>) number =
        let equation = program.Equations[number]

        let withScale id make =
            let view: ParameterView = views[id]
            ParameterViews.scale view |> ValueOption.map (make view)

        match equation.Primitive, equation.Operands with
        | (:? Einsum as einsum), [| Atom.Constant a; Atom.Variable w |] ->
            withScale w (ofContraction samples program number einsum a true)
        | (:? Einsum as einsum), [| Atom.Variable w; Atom.Constant a |] ->
            withScale w (ofContraction samples program number einsum a false)
        | (:? Convolve as convolve), [| Atom.Constant images; Atom.Variable w |] when
            convolve.Result = ConvolutionRole.Output && images.Rank = 4 && program.Variables[w].Shape.Length = 4
            ->
            withScale w (ofConvolution samples program number convolve images)
        | _ -> ValueNone

    /// Whether an equation takes rows of a table that may belong to samples.
    let private looksUp samples (program: Program) (views: Dictionary<int, ParameterView>) (excluded: HashSet<int>) number =
        match program.Equations[number].Primitive, program.Equations[number].Operands with
        | (:? Indexing.Gather as gather), [| Atom.Variable table; Atom.Constant index |] when
            gather.Axis = 0
            && gather.BatchAxes = 0
            && views[table].Coefficient.IsNone
            && index.Rank > 0
            && index.Size % samples = 0
            && not (excluded.Contains number)
            ->
            ValueSome(ofGather samples program number index views[table])
        | _ -> ValueNone

    /// Views and uses. Gathers that were found not to belong to samples are excluded.
    let private walk samples (program: Program) (excluded: HashSet<int>) : Parts =
        let views = Dictionary<int, ParameterView>()
        views[0] <- ParameterViews.ofInput program.Device program.Variables[0]
        let candidates, kept, elements = List<Candidate>(), List<Equation>(), HashSet<int>()

        let useElements (operands: Atom[]) =
            for operand in operands do
                match operand with
                | Atom.Variable id when views.ContainsKey id && elements.Add id ->
                    candidates.Add(ofElements samples program id views[id])
                | _ -> ()

        let isView atom =
            match atom with
            | Atom.Variable id -> views.ContainsKey id
            | Atom.Constant _ -> true

        for number in 0 .. program.Equations.Length - 1 do
            let equation = program.Equations[number]

            let takesView =
                equation.Operands
                |> Array.exists (fun atom ->
                    match atom with
                    | Atom.Variable id -> views.ContainsKey id
                    | Atom.Constant _ -> false)

            let found =
                if not takesView || not (Array.forall isView equation.Operands) then
                    ValueNone
                else
                    looksUp samples program views excluded number
                    |> ValueOption.orElseWith (fun () -> multiplied samples program views number)

            match found with
            | ValueSome candidate -> candidates.Add candidate
            | ValueNone ->
                let followed =
                    if takesView && Array.forall isView equation.Operands then
                        ParameterViews.follow program (fun id -> views[id]) equation
                    else
                        ValueNone

                match followed with
                | ValueSome made -> Array.iter2 (fun id view -> views[id] <- view) equation.Results made
                | ValueNone ->
                    useElements equation.Operands
                    kept.Add equation

        useElements program.Outputs
        { Candidates = List.ofSeq candidates; Views = views; Kept = kept.ToArray() }

    // ---- biases

    /// How often each variable is taken.
    let private takers (program: Program) (equations: Equation[]) : int[] =
        let counts = Array.zeroCreate program.Variables.Length

        let count atom =
            match atom with
            | Atom.Variable id -> counts[id] <- counts[id] + 1
            | Atom.Constant _ -> ()

        for equation in equations do
            Array.iter count equation.Operands

        Array.iter count program.Outputs
        counts

    /// The places of a bias [groups; outputs] that is the same at every position; otherwise nothing.
    let private ofBias (groups: int) (axes: UseAxes) (places: Tensor) : Tensor voption =
        let shape = places.Signature.Shape
        let width = axes.Groups @ axes.Outputs |> List.map (fun axis -> shape[axis]) |> product
        let rows = arrange 0 (axes.Positions @ axes.Groups @ axes.Outputs) [ places.Size / width; width ] places
        let first = Tensor.slice 0 0 1 rows
        let isSame = (Tensor.sum (Tensor.abs (rows - first))).ToScalar() = 0.0
        let distinct = first.ToArray() |> Array.distinct

        if isSame && distinct.Length = width && not (Array.contains 0.0 distinct) then
            ValueSome(Tensor.reshape [ groups; width / groups ] first)
        else
            ValueNone

    /// The candidate with a bias as the last row of its inputs.
    let private withBias (candidate: Candidate) (bias: Tensor) : Candidate =
        let places = Tensor.concat 1 [ candidate.Places; Tensor.unsqueeze 1 bias ]

        let finish ordered =
            match candidate.Finish ordered with
            | UseKind.Weights weights ->
                let inputs () =
                    let a = weights.Inputs()
                    let shape = List.ofArray a.Signature.Shape |> List.updateAt 3 1
                    Tensor.concat 3 [ a; a.Fill(List.toArray shape, 1.0) ]

                UseKind.Weights { Places = places; Inputs = inputs }
            | other -> other

        { candidate with Places = places; Finish = finish }

    /// What is added to nothing but the product of weights with inputs, and looks like a bias: the variables of the
    /// product and of what is added, and the places of the bias.
    let private findBiases (program: Program) (parts: Parts) (products: Dictionary<int, Candidate>) =
        let taken = takers program parts.Kept
        let found = List<struct (int * int * Tensor)>()

        /// Products of weights, moved as a variable is: its places in the order of the product.
        let moved = Dictionary<int, struct (int * (Tensor -> Tensor))>()

        for id in products.Keys do
            moved[id] <- struct (id, (fun places -> places))

        let isMoved id = moved.ContainsKey id && taken[id] = 1

        let tryAdd id added =
            match moved.ContainsKey added, parts.Views.TryGetValue added with
            | false, (true, view) when taken[added] = 1 && view.Coefficient.IsNone ->
                let struct (product, toProduct) = moved[id]
                let c = products[product]

                match ofBias c.Places.Signature.Shape[0] c.Axes (toProduct view.Places) with
                | ValueSome bias -> found.Add(struct (product, added, bias))
                | ValueNone -> ()
            | _ -> ()

        let follow (equation: Equation) id (back: Tensor -> Tensor) =
            let struct (product, toProduct) = moved[id]
            moved[equation.Results[0]] <- struct (product, back >> toProduct)

        for equation in parts.Kept do
            match equation.Primitive, equation.Operands with
            | (:? Elementwise as add), [| Atom.Variable a; Atom.Variable b |] when add.Op = Kernels.OpCode.Add ->
                if isMoved a then tryAdd a b
                elif isMoved b then tryAdd b a
            | (:? Structure.Permute as permute), [| Atom.Variable id |] when isMoved id ->
                follow equation id (Tensor.permute (List.ofArray permute.Inverse))
            | (:? Structure.Reshape), [| Atom.Variable id |] when isMoved id ->
                follow equation id (Tensor.reshape (List.ofArray program.Variables[id].Shape))
            | _ -> ()

        List.ofSeq found

    /// Biases become part of the weights whose products they are added to, where nothing else uses them.
    let private mergeBiases (program: Program) (parts: Parts) : Candidate list =
        let products = Dictionary<int, Candidate>()

        for c in parts.Candidates do
            if c.Equation.IsSome && c.Places.Rank = 3 then products[c.Variable] <- c

        let biases = findBiases program parts products
        let added = HashSet [ for struct (_, added, _) in biases -> added ]
        let uses = Dictionary<float, int>()

        let count (places: Tensor) =
            for place in places.ToArray() |> Array.distinct do
                uses[place] <- 1 + (if uses.ContainsKey place then uses[place] else 0)

        for struct (_, _, bias) in biases do
            count bias

        if not biases.IsEmpty then
            for c in parts.Candidates do
                if not (added.Contains c.Variable) then count c.Places

        let merged = HashSet<int>()

        for struct (product, added, bias) in biases do
            if bias.ToArray() |> Array.forall (fun place -> uses[place] = 1) then
                products[product] <- withBias products[product] bias
                merged.Add added |> ignore

        [
            for c in parts.Candidates do
                if products.ContainsKey c.Variable then products[c.Variable]
                elif not (merged.Contains c.Variable) then c
        ]

    // ---- cotangents of the uses

    /// The program with the variables of uses as its inputs. Its other variables keep their order.
    let private fromUses (program: Program) (variables: int[]) (kept: Equation[]) : Program =
        let numbers = Array.create program.Variables.Length -1
        variables |> Array.iteri (fun number id -> numbers[id] <- number)
        let others = [| 0 .. numbers.Length - 1 |] |> Array.filter (fun id -> numbers[id] < 0)
        others |> Array.iteri (fun number id -> numbers[id] <- variables.Length + number)

        let atom atom =
            match atom with
            | Atom.Variable id -> Atom.Variable numbers[id]
            | constant -> constant

        {
            Device = program.Device
            Inputs = variables.Length
            Variables = Array.append variables others |> Array.map (fun id -> program.Variables[id])
            Equations =
                [|
                    for equation in kept ->
                        {
                            Primitive = equation.Primitive
                            Operands = equation.Operands |> Array.map atom
                            Results = equation.Results |> Array.map (fun id -> numbers[id])
                        }
                |]
            Outputs = program.Outputs |> Array.map atom
        }

    let private pullOne (program: Program) (cotangent: Tensor) : Tensor[] =
        let zeros id = Tensor.OfStorage(Storage.Full(program.Device, program.Variables[id], 0.0))

        Reverse.transpose program [| ValueSome cotangent |]
        |> Array.mapi (fun id pulled -> pulled |> ValueOption.defaultWith (fun () -> zeros id))

    /// Nothing but the samples whose turn it is may reach the others: cotangents of a variable from those of every
    /// second sample of the outputs, of which the other samples must have none.
    let private fallsIntoSamples samples (axis: int) (cotangent: Tensor) =
        let length = cotangent.Signature.Shape[axis]

        if length % samples <> 0 then
            false
        else
            let share = length / samples
            let isOdd = Array.init length (fun i -> if i / share % 2 = 1 then 1.0 else 0.0)
            let shape = List.init cotangent.Rank (fun i -> if i = axis then length else 1)
            let mask = Tensor.ofArray shape isOdd |> Tensor.convert cotangent.DType |> Tensor.toDevice cotangent.Device
            (Tensor.sum (Tensor.abs (cotangent * mask))).ToScalar() = 0.0

    /// A cotangent of every second sample.
    let private everySecond (outputs: Tensor) : Tensor =
        let shape = outputs.Signature.Shape
        let samples = shape[0]
        let rows = Array.init samples (fun i -> if i % 2 = 0 then 1.0 else 0.0)
        let mask = Tensor.ofArray (samples :: List.replicate (shape.Length - 1) 1) rows
        let random = Tensor.normal (Key.OfSeed 0L) DType.Float64 (List.ofArray shape)
        mask * random |> Tensor.convert outputs.DType |> Tensor.toDevice outputs.Device

    /// The positions of a use in an order in which the samples come first; nothing where they have no axis.
    let private orderOf samples (axes: UseAxes) (cotangent: Tensor) : int list voption =
        match axes.Positions |> List.tryFind (fun axis -> fallsIntoSamples samples axis cotangent) with
        | Some first -> ValueSome(first :: List.filter ((<>) first) axes.Positions)
        | None when samples = 1 -> ValueSome axes.Positions
        | None -> ValueNone

    let private finish samples (c: Candidate) (ordered: int list) : ParameterUse =
        let kind = c.Finish ordered
        let axes = ordered @ c.Axes.Groups @ c.Axes.Outputs

        let shape =
            match kind with
            | UseKind.Elements(places, _) -> List.ofArray places.Signature.Shape
            | UseKind.Rows(places, _) -> [ samples; -1; 1; places.Signature.Shape[1] ]
            | UseKind.Weights weights ->
                let places = weights.Places.Signature.Shape
                [ samples; -1; places[0]; places[2] ]

        { Kind = kind; Order = arrange 1 axes shape }

    /// Whether the places of weights or of a table are all there, and each once.
    let private areDistinct (c: Candidate) =
        match c.Equation with
        | ValueNone -> true
        | ValueSome _ ->
            let places = c.Places.ToArray()
            not (Array.contains 0.0 places) && (Array.distinct places).Length = places.Length

    /// The uses of parameters in a model θ ↦ outputs [samples; …] at θ. Costs a forward pass, and a backward one
    /// for which samples each variable belongs to.
    let find (name: string) (model: Tensor -> Tensor) (theta: Tensor) : ParameterUses =
        let values, program = Reverse.linearize (fun xs -> [| model xs[0] |]) [| theta |]
        let outputs = values[0]

        match program.Outputs[0], outputs.Signature.Shape with
        | Atom.Constant _, _ ->
            Fail.differentiation $"{name}: the model does not depend on the point that it was given"
        | _, [||] -> Fail.shape $"{name}: a model's outputs need a leading axis of samples, and these are a scalar"
        | _, shape when outputs.Size = 0 -> Fail.shape $"{name}: there are no outputs; their shape is {Shape.show shape}"
        | _ -> ()

        let samples = outputs.Signature.Shape[0]

        let rec settle (excluded: HashSet<int>) =
            let parts = walk samples program excluded
            let candidates = mergeBiases program parts |> List.toArray
            let inner = fromUses program (candidates |> Array.map _.Variable) parts.Kept
            let seen = pullOne inner (everySecond outputs)

            let ordered =
                Array.map2
                    (fun c cotangent ->
                        if areDistinct c then orderOf samples c.Axes cotangent else ValueNone)
                    candidates
                    seen

            let isTable (c: Candidate) = c.Equation.IsSome && c.Places.Rank = 2

            let misplaced =
                Array.zip candidates ordered
                |> Array.choose (fun (c, order) -> if isTable c && order.IsNone then Some c.Equation.Value else None)

            if misplaced.Length = 0 then
                struct (candidates, ordered, inner)
            else
                excluded.UnionWith misplaced
                settle excluded

        let struct (candidates, ordered, inner) = settle (HashSet())
        let known = [| 0 .. candidates.Length - 1 |] |> Array.filter (fun i -> ordered[i].IsSome)

        {
            Outputs = outputs
            Program = program
            Uses = known |> Array.map (fun i -> finish samples candidates[i] ordered[i].Value)
            Others = [| for i in 0 .. candidates.Length - 1 do if ordered[i].IsNone then candidates[i].Places |]
            Pull =
                fun cotangents ->
                    let pulled = Batching.vmap (fun cs -> pullOne inner cs[0]) [| cotangents |]
                    known |> Array.map (fun i -> pulled[i])
        }
